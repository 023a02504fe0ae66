package io.mxr;

/** A function of the user's with its gradient, for {@link Autograd#call}. */
public interface CustomFunction {
    /** Computes the outputs; not recorded. */
    NDArray[] forward(NDArray[] inputs);

    /** The gradients of the inputs from those of the outputs, on the thread that runs backward. */
    NDArray[] backward(NDArray[] outputGrads);
}
