import io.mxr.Autograd;
import io.mxr.Library;
import io.mxr.ND;
import io.mxr.NDArray;
import io.mxr.NDScope;
import io.mxr.Optimizer;
import io.mxr.Optimizers;
import io.mxr.Random;
import java.util.List;

/** The README's first model, over the jar alone. */
public final class Outside {
    private Outside() {}

    public static void main(String[] args) {
        NDArray w = NDArray.zeros(1, 3);
        w.attachGrad();
        NDArray x = Random.normal(0, 1, 100, 3);
        NDArray y = x.dot(NDArray.of(new float[] {2, -1, 0.5f}, 3, 1));
        Optimizer sgd = Optimizers.sgd(o -> o.learningRate(0.1).momentum(0.5));
        for (int step = 0; step < 100; step++) {
            try (NDScope scope = NDScope.open()) {
                NDArray loss = Autograd.record(() -> ND.fullyConnected(x, w, 1, o -> o.noBias(true)).sub(y).pow(2).mean());
                loss.backward();
                sgd.step(List.of(w));
            }
        }
        boolean right = w.allClose(NDArray.of(new float[] {2, -1, 0.5f}, 1, 3), 0, 1e-2);
        System.out.println(Library.version() + " from " + Library.file() + ": " + w);
        System.out.println(right ? "1 passed, 0 failed" : "0 passed, 1 failed");
    }
}
