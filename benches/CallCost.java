import io.mxr.Autograd;
import io.mxr.NDArray;
import io.mxr.Scope;

/**
 * What one call of a small operator costs from Java: a + b on 4 elements, as call_cost.c measures it from C; results given
 * back by {@code close}, and by the collector.
 */
public final class CallCost {
    private CallCost() {}

    private static double add(NDArray a, NDArray b, int n, boolean close) {
        double best = Double.MAX_VALUE;
        for (int round = 0; round < 9; round++) {
            long start = System.nanoTime();
            for (int i = 0; i < n; i++) {
                NDArray sum = a.add(b);
                if (close) sum.close();
            }
            best = Math.min(best, (double) (System.nanoTime() - start) / n);
        }
        return best;
    }

    public static void main(String[] args) {
        int n = args.length > 0 ? Integer.parseInt(args[0]) : 300000;
        NDArray a = NDArray.of(new float[] {1, 2, 3, 4});
        NDArray b = NDArray.of(new float[] {1, 2, 3, 4});
        double closed = add(a, b, n, true);
        double collected = add(a, b, n, false);
        a.attachGrad();
        double recorded;
        try (Scope scope = Autograd.record()) {
            recorded = add(a, b, n, true);
        }
        System.out.printf(
                "{\"name\": \"a + b, 4 elements, Java\", \"ns\": %.0f, \"closed_ns\": %.0f, \"recorded_ns\": %.0f}%n",
                collected, closed, recorded);
    }
}
