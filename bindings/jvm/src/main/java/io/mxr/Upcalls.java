package io.mxr;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** What the library calls, on a thread of Java's that is inside it; and the exceptions thrown there. */
final class Upcalls {
    private Upcalls() {}

    private static final Map<Long, Throwable> FAILURES = new ConcurrentHashMap<>();
    private static final AtomicLong NEXT = new AtomicLong(1);

    /** The exception of a callback by the number that its error has, or null. */
    static Throwable failure(long origin) {
        return origin == 0 ? null : FAILURES.remove(origin);
    }

    /** Computes gradients; returns an error. Called by the native library. */
    static long backward(Object function, long outputGrads, int numOutputs, long inputGrads, int numInputs) {
        try {
            NDArray[] outputs = new NDArray[numOutputs];
            for (int i = 0; i < numOutputs; i++) {
                outputs[i] = new NDArray(Native.arrayRetain(Frame.pointerAt(outputGrads, i)));
            }
            NDArray[] inputs = ((CustomFunction) function).backward(outputs);
            if (inputs.length != numInputs) {
                throw MxrException.invalid(
                        "backward", "expected " + numInputs + " gradients, got " + inputs.length);
            }
            for (int i = 0; i < numInputs; i++) {
                if (inputs[i] == null) throw MxrException.invalid("backward", "gradient " + i + " is null");
            }
            for (int i = 0; i < numInputs; i++) {
                Frame.setPointerAt(inputGrads, i, Native.arrayRetain(inputs[i].handle()));
            }
            return 0;
        } catch (Throwable failure) {
            return error(failure);
        }
    }

    /** Shows an output to a monitor; what that throws waits for the end of the pass. Called by the native library. */
    static void monitor(Object monitor, long name, long array) {
        Local local = Local.get();
        if (local.monitorFailure != null) return;
        try {
            ((Executor.Monitor) monitor).see(Bridge.text(name), new NDArray(Native.arrayRetain(array)));
        } catch (RuntimeException | Error failure) {
            local.monitorFailure = failure;
        }
    }

    /** Changes a value of a store; returns an error. Called by the native library. */
    static long update(Object function, long key, long index, long pushed, long stored) {
        try (NDArray sum = new NDArray(Native.arrayRetain(pushed));
                NDArray value = new NDArray(Native.arrayRetain(stored))) {
            Object named = key == 0 ? (Object) index : Bridge.text(key);
            ((KVStore.Updater) function).update(named, sum, value);
            return 0;
        } catch (Throwable failure) {
            return error(failure);
        }
    }

    /** Throws what a monitor threw on this thread. */
    static void checkMonitor() {
        Local local = Local.get();
        Throwable failure = local.monitorFailure;
        local.monitorFailure = null;
        if (failure instanceof RuntimeException) throw (RuntimeException) failure;
        if (failure instanceof Error) throw (Error) failure;
    }

    private static long error(Throwable failure) {
        long origin = NEXT.getAndIncrement();
        FAILURES.put(origin, failure);
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            return Native.errorNew(Native.ERROR_CALLBACK, frame.text(String.valueOf(failure)), origin);
        } finally {
            frame.reset(mark);
        }
    }
}
