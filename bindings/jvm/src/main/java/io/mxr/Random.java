package io.mxr;

/** Seeds, and random arrays. */
public final class Random {
    private Random() {}

    /** Seeds the random numbers of all devices. */
    public static void seed(long seed) {
        MxrException.check(Native.randomSeed(seed, 0, 0));
    }

    /** Seeds the random numbers of one device. */
    public static void seed(long seed, Context context) {
        MxrException.check(Native.randomSeed(seed, context.kind(), context.id()));
    }

    /** Numbers that are equally likely everywhere from {@code low} to below {@code high}. */
    public static NDArray uniform(double low, double high, long... shape) {
        return ND.randomUniform(o -> o.low(low).high(high).shape(shape));
    }

    /** Normally distributed numbers. */
    public static NDArray normal(double mean, double deviation, long... shape) {
        return ND.randomNormal(o -> o.loc(mean).scale(deviation).shape(shape));
    }

    /** Integers from {@code low} to below {@code high}. */
    public static NDArray randint(long low, long high, long... shape) {
        return ND.randomRandint(low, high, o -> o.shape(shape));
    }
}
