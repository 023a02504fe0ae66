package io.mxr;

import static io.mxr.Testing.check;
import static io.mxr.Testing.close;
import static io.mxr.Testing.elements;
import static io.mxr.Testing.equal;
import static io.mxr.Testing.fails;

import java.util.List;
import java.util.Map;

/** Gradients, optimizers, schedules, initializers. */
public final class TrainingTests {
    public void whatIsRecordedHasGradients() {
        NDArray x = NDArray.of(new float[] {1, 2, 3});
        x.attachGrad();
        NDArray y = Autograd.record(() -> x.mul(x).mul(2));
        y.backward(NDArray.of(new float[] {1, 10, 100}));
        elements(x.grad(), 4, 80, 1200);
        equal(null, NDArray.zeros(1).grad());
    }

    public void gradientsAreAddedWhereItIsAskedFor() {
        NDArray x = NDArray.of(new float[] {3});
        x.attachGrad("add");
        for (int i = 0; i < 2; i++) Autograd.record(() -> x.mul(x)).backward();
        elements(x.grad(), 12);
    }

    public void gradientsOfGradientsAreHad() {
        NDArray x = NDArray.of(new float[] {2});
        x.attachGrad();
        NDArray first = Autograd.record(
                () -> Autograd.grad(List.of(x.pow(3)), List.of(x), null, true).get(0));
        elements(first, 12);
        first.backward();
        elements(x.grad(), 12);
    }

    public void pausedCallsAreNotRecorded() throws Exception {
        NDArray x = NDArray.of(new float[] {2});
        x.attachGrad();
        NDArray y = Autograd.record(() -> {
            NDArray constant = Autograd.pause(() -> x.mul(10));
            return x.mul(constant);
        });
        y.backward();
        elements(x.grad(), 20);
        fails(MxrException.Code.AUTOGRAD, () -> NDArray.zeros(1).backward());
    }

    public void dropoutDropsInTrainingOnly() {
        NDArray x = NDArray.ones(1000);
        elements(ND.dropout(x).slice(0, 2), 1, 1);
        NDArray dropped;
        try (Scope scope = Autograd.trainMode()) {
            dropped = ND.dropout(x, o -> o.p(0.5));
        }
        double kept = dropped.gt(0).sum().item();
        check(kept > 400 && kept < 600, "half stay: " + kept);
    }

    public void aUsersFunctionHasItsOwnGradient() {
        CustomFunction clipped = new CustomFunction() {
            @Override
            public NDArray[] forward(NDArray[] inputs) {
                return new NDArray[] {ND.round(inputs[0])};
            }

            @Override
            public NDArray[] backward(NDArray[] outputGrads) {
                return new NDArray[] {outputGrads[0].mul(5)};
            }
        };
        NDArray x = NDArray.of(new float[] {1.2f, 2.9f});
        x.attachGrad();
        NDArray y = Autograd.record(() -> Autograd.call(clipped, x).get(0).mul(2));
        elements(y, 2, 6);
        y.backward();
        elements(x.grad(), 10, 10);
    }

    public void aNetworkLearns() {
        Random.seed(1);
        NDArray w = Random.normal(0, 0.1, 1, 3);
        w.attachGrad();
        NDArray x = Random.normal(0, 1, 100, 3);
        NDArray y = ND.dot(x, NDArray.of(new float[] {2, -1, 0.5f}, 3, 1));
        Optimizer sgd = Optimizers.sgd(o -> o.learningRate(0.2).momentum(0.5));
        for (int i = 0; i < 60; i++) {
            NDArray loss = Autograd.record(() -> ND.fullyConnected(x, w, 1, o -> o.noBias(true)).sub(y).pow(2).mean());
            loss.backward();
            sgd.step(List.of(w));
        }
        check(w.allClose(NDArray.of(new float[] {2, -1, 0.5f}, 1, 3), 0, 1e-3), w.toString());
    }

    public void plainDescentSubtractsTheGradient() {
        NDArray w = NDArray.of(new float[] {1, 2});
        Optimizers.sgd(o -> o.learningRate(0.5).wd(0.1)).update(0, w, NDArray.of(new float[] {2, -2}));
        // w − lr (g + wd w)
        double[] got = w.toDoubleArray();
        close(1 - 0.5 * (2 + 0.1), got[0], 1e-6);
        close(2 - 0.5 * (-2 + 0.2), got[1], 1e-6);
    }

    public void optimizersFollowSchedulesAndKeepStates() {
        LRScheduler halves = LRSchedulers.factorScheduler(1, o -> o.factor(0.5).baseLr(0.8));
        close(0.8, halves.value(1), 1e-12);
        close(0.4, halves.value(2), 1e-12);
        Optimizer adam = Optimizers.adam(o -> o.learningRate(0.1));
        NDArray a = NDArray.ones(3);
        NDArray grad = NDArray.of(new float[] {1, -2, 3});
        adam.update(0, a, grad);
        byte[] states = adam.saveStates();
        NDArray b = a.copy();
        adam.update(0, a, grad);
        Optimizer again = Optimizer.create("adam", Map.of("learning_rate", 0.1));
        again.loadStates(states);
        again.update(0, b, grad);
        check(a.contentEquals(b), "the same step");
        adam.setLearningRate(0.3);
        close(0.3, adam.learningRate(), 1e-12);
    }

    public void initializersFillByName() {
        Initializer xavier = Initializer.create("Xavier", Map.of("magnitude", 3, "rnd_type", "uniform"));
        NDArray weight = NDArray.zeros(50, 50);
        xavier.apply("fc_weight", weight);
        double bound = Math.sqrt(3.0 / 50);
        for (double x : weight.toDoubleArray()) check(Math.abs(x) <= bound, "within " + bound + ": " + x);
        check(weight.abs().mean().item() > bound / 4, "filled");
        NDArray bias = NDArray.ones(2);
        xavier.apply("fc_bias", bias);
        elements(bias, 0, 0);
        NDArray any = NDArray.zeros(2);
        Initializers.constant(new double[] {4}).fill(any);
        elements(any, 4, 4);
        check(Registry.names("optimizers").contains("SGD"), "names are listed");
    }
}
