package io.mxr;

import java.util.function.LongConsumer;

/** Arithmetic of arrays with arrays, whose axes of size 1 are repeated, and with numbers. */
abstract class ArrayArithmetic extends Handle {
    ArrayArithmetic(long pointer, LongConsumer free) {
        super(pointer, free);
    }

    /** This, as what it is. */
    abstract NDArray array();

    private NDArray binary(Op op, NDArray other) {
        return op.one(Attrs.NONE, null, null, array(), other);
    }

    private NDArray scalar(Op op, double scalar) {
        Attrs attrs = new Attrs();
        attrs.number(1, "scalar", scalar);
        return op.one(attrs, null, null, array());
    }

    private NDArray binaryInPlace(Op op, NDArray other) {
        return op.one(Attrs.NONE, array(), null, array(), other);
    }

    private NDArray scalarInPlace(Op op, double scalar) {
        Attrs attrs = new Attrs();
        attrs.number(1, "scalar", scalar);
        return op.one(attrs, array(), null, array());
    }

    /** The sum. */
    public final NDArray add(NDArray other) {
        return binary(Ops.BROADCAST_ADD, other);
    }

    /** The sum. */
    public final NDArray add(double scalar) {
        return scalar(Ops._PLUS_SCALAR, scalar);
    }

    /** The difference. */
    public final NDArray sub(NDArray other) {
        return binary(Ops.BROADCAST_SUB, other);
    }

    /** The difference. */
    public final NDArray sub(double scalar) {
        return scalar(Ops._MINUS_SCALAR, scalar);
    }

    /** The product of elements. */
    public final NDArray mul(NDArray other) {
        return binary(Ops.BROADCAST_MUL, other);
    }

    /** The product of elements. */
    public final NDArray mul(double scalar) {
        return scalar(Ops._MUL_SCALAR, scalar);
    }

    /** The quotient of elements. */
    public final NDArray div(NDArray other) {
        return binary(Ops.BROADCAST_DIV, other);
    }

    /** The quotient of elements. */
    public final NDArray div(double scalar) {
        return scalar(Ops._DIV_SCALAR, scalar);
    }

    /** The remainder, with the sign of the divisor. */
    public final NDArray mod(NDArray other) {
        return binary(Ops.BROADCAST_MOD, other);
    }

    /** The remainder, with the sign of the divisor. */
    public final NDArray mod(double scalar) {
        return scalar(Ops._MOD_SCALAR, scalar);
    }

    /** The power. */
    public final NDArray pow(NDArray other) {
        return binary(Ops.BROADCAST_POWER, other);
    }

    /** The power. */
    public final NDArray pow(double scalar) {
        return scalar(Ops._POWER_SCALAR, scalar);
    }

    /** The larger of both. */
    public final NDArray maximum(NDArray other) {
        return binary(Ops.BROADCAST_MAXIMUM, other);
    }

    /** The larger of both. */
    public final NDArray maximum(double scalar) {
        return scalar(Ops._MAXIMUM_SCALAR, scalar);
    }

    /** The smaller of both. */
    public final NDArray minimum(NDArray other) {
        return binary(Ops.BROADCAST_MINIMUM, other);
    }

    /** The smaller of both. */
    public final NDArray minimum(double scalar) {
        return scalar(Ops._MINIMUM_SCALAR, scalar);
    }

    /** 1 where both are equal, else 0. */
    public final NDArray eq(NDArray other) {
        return binary(Ops.BROADCAST_EQUAL, other);
    }

    /** 1 where both are equal, else 0. */
    public final NDArray eq(double scalar) {
        return scalar(Ops._EQUAL_SCALAR, scalar);
    }

    /** 1 where they differ, else 0. */
    public final NDArray neq(NDArray other) {
        return binary(Ops.BROADCAST_NOT_EQUAL, other);
    }

    /** 1 where they differ, else 0. */
    public final NDArray neq(double scalar) {
        return scalar(Ops._NOT_EQUAL_SCALAR, scalar);
    }

    /** 1 where this is greater, else 0. */
    public final NDArray gt(NDArray other) {
        return binary(Ops.BROADCAST_GREATER, other);
    }

    /** 1 where this is greater, else 0. */
    public final NDArray gt(double scalar) {
        return scalar(Ops._GREATER_SCALAR, scalar);
    }

    /** 1 where this is greater or equal, else 0. */
    public final NDArray gte(NDArray other) {
        return binary(Ops.BROADCAST_GREATER_EQUAL, other);
    }

    /** 1 where this is greater or equal, else 0. */
    public final NDArray gte(double scalar) {
        return scalar(Ops._GREATER_EQUAL_SCALAR, scalar);
    }

    /** 1 where this is less, else 0. */
    public final NDArray lt(NDArray other) {
        return binary(Ops.BROADCAST_LESSER, other);
    }

    /** 1 where this is less, else 0. */
    public final NDArray lt(double scalar) {
        return scalar(Ops._LESSER_SCALAR, scalar);
    }

    /** 1 where this is less or equal, else 0. */
    public final NDArray lte(NDArray other) {
        return binary(Ops.BROADCAST_LESSER_EQUAL, other);
    }

    /** 1 where this is less or equal, else 0. */
    public final NDArray lte(double scalar) {
        return scalar(Ops._LESSER_EQUAL_SCALAR, scalar);
    }

    /** The number minus this. */
    public final NDArray rsub(double scalar) {
        return scalar(Ops._RMINUS_SCALAR, scalar);
    }

    /** The number divided by this. */
    public final NDArray rdiv(double scalar) {
        return scalar(Ops._RDIV_SCALAR, scalar);
    }

    /** The number to the power of this. */
    public final NDArray rpow(double scalar) {
        return scalar(Ops._RPOWER_SCALAR, scalar);
    }

    /** Minus this. */
    public final NDArray neg() {
        return Ops.NEGATIVE.one(Attrs.NONE, null, null, array());
    }

    /** Adds to this array itself. */
    public final NDArray addi(NDArray other) {
        return binaryInPlace(Ops.BROADCAST_ADD, other);
    }

    /** Adds to this array itself. */
    public final NDArray addi(double scalar) {
        return scalarInPlace(Ops._PLUS_SCALAR, scalar);
    }

    /** Subtracts from this array itself. */
    public final NDArray subi(NDArray other) {
        return binaryInPlace(Ops.BROADCAST_SUB, other);
    }

    /** Subtracts from this array itself. */
    public final NDArray subi(double scalar) {
        return scalarInPlace(Ops._MINUS_SCALAR, scalar);
    }

    /** Multiplies this array itself. */
    public final NDArray muli(NDArray other) {
        return binaryInPlace(Ops.BROADCAST_MUL, other);
    }

    /** Multiplies this array itself. */
    public final NDArray muli(double scalar) {
        return scalarInPlace(Ops._MUL_SCALAR, scalar);
    }

    /** Divides this array itself. */
    public final NDArray divi(NDArray other) {
        return binaryInPlace(Ops.BROADCAST_DIV, other);
    }

    /** Divides this array itself. */
    public final NDArray divi(double scalar) {
        return scalarInPlace(Ops._DIV_SCALAR, scalar);
    }

    /** The product of matrices, or of the last axis of this with the first of the other. */
    public final NDArray dot(NDArray other) {
        return ND.dot(array(), other);
    }

    /** The array with two axes, or all of them, in another order. */
    public final NDArray transpose(long... axes) {
        return ND.transpose(array(), o -> o.axes(axes));
    }

    /** The array with its axes reversed. */
    public final NDArray t() {
        return ND.transpose(array());
    }

    /** With another axis of size 1. */
    public final NDArray expandDims(long axis) {
        return ND.expandDims(array(), axis);
    }

    /** Without axes of size 1. */
    public final NDArray squeeze() {
        return ND.squeeze(array());
    }

    /** With all axes but the first as one. */
    public final NDArray flatten() {
        return ND.flatten(array());
    }

    /** Repeated along axes of size 1. */
    public final NDArray broadcastTo(long... shape) {
        return ND.broadcastTo(array(), o -> o.shape(shape));
    }
}
