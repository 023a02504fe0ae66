package io.mxr;

import java.lang.ref.Reference;
import java.util.Map;

/** A learning rate that depends on the number of updates. {@link LRSchedulers} has a function for each. */
public final class LRScheduler extends Handle {
    LRScheduler(String name, Attrs attrs) {
        super(Registered.make(name, attrs, Native::lrSchedulerCreate), Native::lrSchedulerFree);
    }

    /** By name, as {@code FactorScheduler} or {@code factor}. */
    public static LRScheduler create(String name, Map<String, ?> attrs) {
        return new LRScheduler(name, Registered.attrs("lr_schedulers", name, attrs));
    }

    /** The learning rate when some parameter has had so many updates, and none more. */
    public double value(long numUpdate) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long out = frame.slot();
            MxrException.check(Native.lrSchedulerValue(handle(), numUpdate, out));
            return frame.getDouble(out);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    /** Starts from another learning rate. */
    public void setBase(double lr) {
        try {
            MxrException.check(Native.lrSchedulerSetBase(handle(), lr));
        } finally {
            Reference.reachabilityFence(this);
        }
    }
}
