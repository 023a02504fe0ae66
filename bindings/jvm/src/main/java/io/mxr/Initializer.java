package io.mxr;

import java.lang.ref.Reference;
import java.util.Map;

/** Fills new parameters. {@link Initializers} has a function for each. */
public final class Initializer extends Handle {
    Initializer(String name, Attrs attrs) {
        super(Registered.make(name, attrs, Native::initializerCreate), Native::initializerFree);
    }

    /** By name, as {@code Xavier}. */
    public static Initializer create(String name, Map<String, ?> attrs) {
        return new Initializer(name, Registered.attrs("initializers", name, attrs));
    }

    /** Fills a parameter by its name: a weight as it does, a bias with zeros, a gamma with ones. */
    public void apply(String name, NDArray array) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            MxrException.check(Native.initializerApply(handle(), frame.text(name), 0, array.handle()));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
            Reference.reachabilityFence(array);
        }
    }

    /** Fills an array, whatever it is. */
    public void fill(NDArray array) {
        try {
            MxrException.check(Native.initializerFill(handle(), array.handle()));
        } finally {
            Reference.reachabilityFence(this);
            Reference.reachabilityFence(array);
        }
    }
}
