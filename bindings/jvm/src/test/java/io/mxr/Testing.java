package io.mxr;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;

/** Runs tests: every public method of a class, each a sentence about behaviour. Ends with {@code N passed, N failed}. */
final class Testing {
    private Testing() {}

    private static int passed;
    private static int failed;

    interface Action {
        void run() throws Exception;
    }

    static void run(Class<?> tests) throws Exception {
        Method[] methods = tests.getDeclaredMethods();
        Arrays.sort(methods, Comparator.comparing(Method::getName));
        for (Method test : methods) {
            if (!java.lang.reflect.Modifier.isPublic(test.getModifiers())) continue;
            Object object = tests.getDeclaredConstructor().newInstance();
            run(tests.getSimpleName() + ": " + test.getName(), () -> test.invoke(object));
        }
    }

    static void run(String name, Action test) {
        long start = System.nanoTime();
        try {
            test.run();
            count(name, true);
            long seconds = (System.nanoTime() - start) / 1_000_000_000;
            if (seconds > 1) System.out.println(name + ": " + seconds + " s");
        } catch (Throwable failure) {
            Throwable cause = failure instanceof InvocationTargetException ? failure.getCause() : failure;
            count(name, false);
            cause.printStackTrace(System.out);
        }
    }

    static void count(String name, boolean holds) {
        if (holds) passed++;
        else failed++;
        if (!holds) System.out.println("FAILED " + name);
    }

    /** Prints the result and ends the program. */
    static void finish() {
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }

    static void check(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    static void equal(Object expected, Object got) {
        if (!java.util.Objects.deepEquals(expected, got)) {
            throw new AssertionError("expected " + text(expected) + ", got " + text(got));
        }
    }

    static void close(double expected, double got, double tolerance) {
        if (!(Math.abs(expected - got) <= tolerance)) throw new AssertionError("expected " + expected + ", got " + got);
    }

    /** The elements of an array, exactly. */
    static void elements(NDArray array, double... expected) {
        equal(expected, array.toDoubleArray());
    }

    /** The failure of an action, which must have this code. */
    static MxrException fails(MxrException.Code code, Action action) throws Exception {
        try {
            action.run();
        } catch (MxrException failure) {
            equal(code, failure.code());
            return failure;
        }
        throw new AssertionError("expected a failure with the code " + code);
    }

    private static String text(Object value) {
        return value instanceof double[] ? Arrays.toString((double[]) value) : String.valueOf(value);
    }
}
