package io.mxr;

import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;

/**
 * Automatic differentiation. What this thread computes while it records is remembered, and
 * {@link NDArray#backward} computes gradients of it.
 *
 * <pre>{@code
 * x.attachGrad();
 * NDArray y = Autograd.record(() -> x.mul(x).sum());
 * y.backward();
 * x.grad();                                            // 2 x
 * }</pre>
 */
public final class Autograd {
    private Autograd() {}

    /** Records, in training, until the scope is closed. */
    public static Scope record() {
        return scope(Native.CALL_RECORDING | Native.CALL_TRAINING, 0);
    }

    /** Does not record, and predicts, until the scope is closed. */
    public static Scope pause() {
        return scope(0, Native.CALL_RECORDING | Native.CALL_TRAINING);
    }

    /** Computes as in training until the scope is closed: dropout drops. */
    public static Scope trainMode() {
        return scope(Native.CALL_TRAINING, 0);
    }

    /** Computes as in prediction until the scope is closed. */
    public static Scope predictMode() {
        return scope(0, Native.CALL_TRAINING);
    }

    /** Runs with the flags {@code on} set and {@code off} not. */
    static Scope scope(int on, int off) {
        Local local = Local.get();
        int before = local.flags();
        local.setFlags((before | on) & ~off);
        return () -> local.setFlags(before);
    }

    /** What a function computes, recorded. */
    public static <T> T record(Supplier<T> function) {
        try (Scope scope = record()) {
            return function.get();
        }
    }

    /** Runs an action, recorded. */
    public static void record(Runnable action) {
        try (Scope scope = record()) {
            action.run();
        }
    }

    /** What a function computes, not recorded. */
    public static <T> T pause(Supplier<T> function) {
        try (Scope scope = pause()) {
            return function.get();
        }
    }

    /** Whether this thread records. */
    public static boolean isRecording() {
        return (Local.get().flags() & Native.CALL_RECORDING) != 0;
    }

    /** Whether this thread computes as in training. */
    public static boolean isTraining() {
        return (Local.get().flags() & Native.CALL_TRAINING) != 0;
    }

    /** Makes arrays variables whose gradients go to other arrays: {@code write}, {@code add} or {@code null}. */
    public static void markVariables(List<NDArray> variables, List<NDArray> gradients, List<String> requests) {
        if (variables.size() != gradients.size() || variables.size() != requests.size()) {
            throw MxrException.invalid("gradients", "expected one gradient and one request for each variable");
        }
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            int[] codes = requests.stream().mapToInt(GradReq::code).toArray();
            MxrException.check(Native.autogradMark(
                    frame.handles(variables), frame.handles(gradients), frame.ints(codes), variables.size()));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(variables);
            Reference.reachabilityFence(gradients);
        }
    }

    /** Computes the gradients of the sum of all heads, each by its head gradient, or ones where that is null. */
    public static void backward(List<NDArray> heads, List<NDArray> headGrads, boolean retainGraph, boolean training) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            int flags = flags(retainGraph, false, training);
            MxrException.check(Native.autogradBackward(
                    frame.handles(heads), grads(frame, heads, headGrads), heads.size(), flags));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(heads);
            Reference.reachabilityFence(headGrads);
        }
    }

    /** Computes the gradients of the sum of all heads. */
    public static void backward(List<NDArray> heads) {
        backward(heads, null, false, true);
    }

    /** The gradients of the sum of heads by variables, as new arrays, which can be differentiated again. */
    public static List<NDArray> grad(
            List<NDArray> heads, List<NDArray> variables, List<NDArray> headGrads, boolean createGraph) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long out = frame.slots(variables.size());
            MxrException.check(Native.autogradGrad(
                    frame.handles(heads), grads(frame, heads, headGrads), heads.size(), frame.handles(variables),
                    variables.size(), flags(createGraph, createGraph, true), out));
            return NDArray.taken(frame, out, variables.size());
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(heads);
            Reference.reachabilityFence(variables);
            Reference.reachabilityFence(headGrads);
        }
    }

    /** The gradient of one head by one variable. */
    public static NDArray grad(NDArray head, NDArray variable) {
        return grad(Collections.singletonList(head), Collections.singletonList(variable), null, false).get(0);
    }

    private static long grads(Frame frame, List<NDArray> heads, List<NDArray> headGrads) {
        if (headGrads == null) return 0;
        if (headGrads.size() != heads.size()) {
            throw MxrException.invalid(
                    "headGrads", "expected " + heads.size() + " arrays, got " + headGrads.size());
        }
        return frame.handles(headGrads);
    }

    private static int flags(boolean retain, boolean create, boolean training) {
        return (retain ? Native.BACKWARD_RETAIN_GRAPH : 0)
                | (create ? Native.BACKWARD_CREATE_GRAPH : 0)
                | (training ? Native.BACKWARD_TRAINING : 0);
    }

    /**
     * What was recorded, as a symbol with an output for each array. Its variables are {@code var0}, {@code var1}, … for
     * arrays with gradients, and {@code null2}, … for others.
     */
    public static Symbol getSymbol(NDArray... heads) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long arrays = frame.handles(Arrays.asList(heads));
            return new Symbol(Texts.place(out -> Native.autogradSymbol(arrays, heads.length, out)));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(heads);
        }
    }

    /**
     * Calls a function of the user's on arrays and records it as one operation, whose gradient the function computes.
     */
    public static List<NDArray> call(CustomFunction function, NDArray... inputs) {
        NDArray[] outputs;
        try (Scope scope = pause()) {
            outputs = function.forward(inputs);
        }
        if (!isRecording()) return Arrays.asList(outputs);
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            List<NDArray> ins = Arrays.asList(inputs);
            List<NDArray> outs = Arrays.asList(outputs);
            long payload = Bridge.keep(function);
            MxrException.check(Native.autogradRecordCustom(
                    frame.text(function.getClass().getName()), frame.handles(ins), inputs.length,
                    frame.handles(outs), outputs.length, Bridge.callback(Bridge.BACKWARD), payload,
                    Bridge.callback(Bridge.DROP)));
            return outs;
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(inputs);
        }
    }
}
