package io.mxr;

import java.lang.ref.Reference;
import java.util.List;
import java.util.Map;
import java.util.function.LongBinaryOperator;

/** An optimizer with the states of the parameters that it has seen. {@link Optimizers} has a function for each. */
public final class Optimizer extends Handle {
    private final Updater updater;

    /** The states. */
    private static final class Updater extends Handle {
        Updater(long optimizer) {
            super(Texts.place(out -> Native.updaterCreate(optimizer, out)), Native::updaterFree);
        }
    }

    Optimizer(String name, Attrs attrs, LRScheduler scheduler) {
        super(made(name, attrs, scheduler), Native::optimizerFree);
        updater = new Updater(handle());
    }

    private static long made(String name, Attrs attrs, LRScheduler scheduler) {
        long schedule = scheduler == null ? 0 : scheduler.handle();
        try {
            return Registered.make(
                    name, attrs, (text, values, n, out) -> Native.optimizerCreate(text, values, n, schedule, out));
        } finally {
            Reference.reachabilityFence(scheduler);
        }
    }

    /** By name, as {@code SGD} or {@code sgd}. */
    public static Optimizer create(String name, Map<String, ?> attrs) {
        return create(name, attrs, null);
    }

    /** By name, with a schedule of its learning rate. */
    public static Optimizer create(String name, Map<String, ?> attrs, LRScheduler scheduler) {
        return new Optimizer(name, Registered.attrs("optimizers", name, attrs), scheduler);
    }

    /** Changes a weight by its gradient; its state is made with the first call. */
    public void update(long index, NDArray weight, NDArray grad) {
        try {
            MxrException.check(Native.updaterUpdate(updater.handle(), index, grad.handle(), weight.handle()));
        } finally {
            Reference.reachabilityFence(this);
            Reference.reachabilityFence(weight);
            Reference.reachabilityFence(grad);
        }
    }

    /** Changes variables by their gradients; their numbers are their places in the list. */
    public void step(List<NDArray> variables) {
        for (int i = 0; i < variables.size(); i++) {
            NDArray grad = variables.get(i).grad();
            if (grad == null) throw MxrException.invalid("variables", "array " + i + " has no gradient");
            update(i, variables.get(i), grad);
            grad.close();
        }
    }

    /** The learning rate now. */
    public double learningRate() {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long out = frame.slot();
            MxrException.check(Native.optimizerLearningRate(handle(), out));
            return frame.getDouble(out);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    /** Sets the learning rate. An error if a schedule says it. */
    public void setLearningRate(double lr) {
        MxrException.check(Native.optimizerSetLearningRate(handle(), lr));
    }

    /**
     * Says the names of parameters, from number 0, by which factors find them. Those that end neither in
     * {@code _weight} nor in {@code _gamma} then do not decay.
     */
    public void setNames(List<String> names) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long[] indices = new long[names.size()];
            for (int i = 0; i < indices.length; i++) indices[i] = i;
            MxrException.check(Native.optimizerSetNames(
                    handle(), frame.longs(indices), frame.texts(names), names.size()));
        } finally {
            frame.reset(mark);
        }
    }

    /** Sets the factors of a parameter's learning rate and decay. */
    public void setMult(long index, double lrMult, double wdMult) {
        MxrException.check(Native.optimizerSetMult(handle(), index, lrMult, wdMult));
    }

    /** All states and counts. */
    public byte[] saveStates() {
        try {
            return bytes((bytes, length) -> Native.updaterToBytes(updater.handle(), bytes, length));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The bytes that a call of the library makes, which are freed. */
    static byte[] bytes(LongBinaryOperator call) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long out = frame.slots(2);
            MxrException.check(call.applyAsLong(out, out + 8));
            long address = frame.getLong(out);
            long length = frame.getLong(out + 8);
            byte[] bytes = new byte[Math.toIntExact(length)];
            if (length > 0) Bridge.buffer(address, length).get(bytes);
            Native.bytesFree(address, length);
            return bytes;
        } finally {
            frame.reset(mark);
        }
    }

    /** Replaces all states and counts by those that {@link #saveStates} gave. */
    public void loadStates(byte[] states) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long address = frame.bytes(states, Math.max(1, states.length));
            MxrException.check(Native.updaterSetBytes(updater.handle(), address, states.length));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public void close() {
        updater.close();
        super.close();
    }
}
