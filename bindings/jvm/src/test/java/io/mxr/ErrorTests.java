package io.mxr;

import static io.mxr.Testing.check;
import static io.mxr.Testing.elements;
import static io.mxr.Testing.equal;
import static io.mxr.Testing.fails;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Failures say what failed; waits can be interrupted. */
public final class ErrorTests {
    public void anErrorNamesOperatorAndArgument() throws Exception {
        NDArray x = NDArray.zeros(2, 3);
        MxrException error = fails(MxrException.Code.SHAPE, () -> x.dot(x));
        equal("dot", error.operator());
        equal("rhs", error.argument());
        check(error.getMessage().contains("(2, 3)"), error.getMessage());
    }

    public void nullIsRefusedByTheNameOfItsParameter() throws Exception {
        MxrException error = fails(MxrException.Code.INVALID_VALUE, () -> ND.broadcastAdd(NDArray.zeros(1), null));
        equal("rhs", error.argument());
    }

    public void aClosedArrayIsAnError() throws Exception {
        NDArray x = NDArray.zeros(1);
        x.close();
        x.close();
        check(x.isClosed(), "closed");
        equal("<NDArray closed>", x.toString());
        fails(MxrException.Code.CLOSED, () -> x.add(1));
        fails(MxrException.Code.CLOSED, x::shape);
    }

    public void unknownNamesAreRefused() throws Exception {
        fails(MxrException.Code.NOT_FOUND, () -> ND.call("nonsense", List.of(), Map.of()));
        MxrException error = fails(
                MxrException.Code.NOT_FOUND, () -> ND.call("sum", List.of(NDArray.zeros(1)), Map.of("axes", 1)));
        equal("axes", error.argument());
        fails(MxrException.Code.NOT_FOUND, () -> Optimizer.create("nonsense", Map.of()));
    }

    public void anOperatorOfAnotherVersionIsRefused() throws Exception {
        NDArray x = NDArray.zeros(1);
        MxrException error = fails(MxrException.Code.VERSION, () -> new Op("exp", 2, 0, "data").one(Attrs.NONE, null, null, x));
        check(error.getMessage().contains(Library.file()) && error.getMessage().contains("needs 2.0"), error.getMessage());
        fails(MxrException.Code.VERSION, () -> new Op("exp", 1, 99, "data").one(Attrs.NONE, null, null, x));
    }

    public void valuesOfAttributesAreChecked() throws Exception {
        NDArray x = NDArray.zeros(1, 1, 4, 4);
        MxrException error = fails(
                MxrException.Code.INVALID_VALUE, () -> ND.pooling(x, o -> o.kernel(2, 2).poolType("nonsense")));
        equal("pool_type", error.argument());
    }

    public void aLaterFailureIsReportedByTheWait() throws Exception {
        // That an index is out of range only running shows.
        NDArray taken = ND.take(NDArray.zeros(4), NDArray.of(new float[] {1000}), o -> o.mode("raise"));
        fails(MxrException.Code.INDEX, taken::waitToRead);
        fails(MxrException.Code.INDEX, () -> taken.add(1).toFloatArray());
        fails(MxrException.Code.INDEX, Engine::waitAll);
        Engine.waitAll();
    }

    public void anInterruptEndsAWait() throws Exception {
        NDArray x = NDArray.ones(800, 800);
        NDArray y = x;
        for (int i = 0; i < 12; i++) y = y.dot(x).mul(1e-3);
        NDArray slow = y;
        Thread.currentThread().interrupt();
        try {
            MxrException error = fails(MxrException.Code.CALLBACK, slow::waitToRead);
            check(error.getCause() instanceof InterruptedException, "the cause is the interrupt");
        } finally {
            check(Thread.interrupted(), "the interrupt stays set");
        }
        Engine.waitAll();
    }

    public void aWaitEndsAfterItsTimeout() throws Exception {
        NDArray x = NDArray.ones(800, 800);
        NDArray y = x;
        for (int i = 0; i < 12; i++) y = y.dot(x).mul(1e-3);
        NDArray slow = y;
        fails(MxrException.Code.TIMEOUT, () -> slow.waitToRead(1, TimeUnit.MILLISECONDS));
        Engine.waitAll();
        equal(0L, Engine.pending());
    }

    public void theExceptionOfAUsersGradientIsTheCause() throws Exception {
        NDArray x = NDArray.of(new float[] {2});
        x.attachGrad();
        RuntimeException own = new IllegalStateException("own");
        CustomFunction function = new CustomFunction() {
            @Override
            public NDArray[] forward(NDArray[] inputs) {
                return new NDArray[] {inputs[0].mul(3)};
            }

            @Override
            public NDArray[] backward(NDArray[] outputGrads) {
                throw own;
            }
        };
        NDArray y = Autograd.record(() -> Autograd.call(function, x).get(0));
        elements(y, 6);
        MxrException error = fails(MxrException.Code.CALLBACK, y::backward);
        check(error.getCause() == own, "the cause is the user's exception");
    }
}
