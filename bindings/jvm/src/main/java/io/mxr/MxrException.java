package io.mxr;

/** A failure of mxr: what went wrong, and with which operator and argument. */
public class MxrException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What kind of failure it is. */
    public enum Code {
        /** An argument has a value that is not allowed. */
        INVALID_VALUE(Native.ERROR_INVALID_VALUE),
        /** An argument is of the wrong kind. */
        INVALID_TYPE(Native.ERROR_INVALID_TYPE),
        /** Shapes do not fit. */
        SHAPE(Native.ERROR_SHAPE),
        /** Data types do not fit. */
        DTYPE(Native.ERROR_DTYPE),
        /** An index lies outside its axis. */
        INDEX(Native.ERROR_INDEX),
        /** No operator, attribute, parameter or file has this name. */
        NOT_FOUND(Native.ERROR_NOT_FOUND),
        /** The object was closed. */
        CLOSED(Native.ERROR_CLOSED),
        /** Memory could not be had. */
        OUT_OF_MEMORY(Native.ERROR_OUT_OF_MEMORY),
        /** The request is well formed but not supported. */
        UNSUPPORTED(Native.ERROR_UNSUPPORTED),
        /** Reading or writing a file failed. */
        IO(Native.ERROR_IO),
        /** Bytes do not follow the format they claim. */
        FORMAT(Native.ERROR_FORMAT),
        /** A wait took longer than its timeout. */
        TIMEOUT(Native.ERROR_TIMEOUT),
        /** Misuse of automatic differentiation. */
        AUTOGRAD(Native.ERROR_AUTOGRAD),
        /** Two parts of mxr have versions that do not go together. */
        VERSION(Native.ERROR_VERSION),
        /** The device is missing or cannot be used. */
        DEVICE(Native.ERROR_DEVICE),
        /** A fault in mxr itself. */
        INTERNAL(Native.ERROR_INTERNAL),
        /** A function of the user's failed; the cause is its exception. */
        CALLBACK(Native.ERROR_CALLBACK);

        final int number;

        Code(int number) {
            this.number = number;
        }

        static Code of(int number) {
            for (Code code : values()) {
                if (code.number == number) return code;
            }
            return INTERNAL;
        }
    }

    private final Code code;
    private final String operator;
    private final String argument;

    /** A failure that Java's side found. Operator and argument may be null. */
    public MxrException(Code code, String message, String operator, String argument) {
        super(message);
        this.code = code;
        this.operator = operator;
        this.argument = argument;
    }

    /** What kind of failure it is. */
    public Code code() {
        return code;
    }

    /** The operator that failed, or null. */
    public String operator() {
        return operator;
    }

    /** The argument that it is about, or null. */
    public String argument() {
        return argument;
    }

    /** Throws if a call returned an error. */
    static void check(long error) {
        if (error != 0) throw taken(error);
    }

    /** An error of the library's as an exception; frees the error. */
    static MxrException taken(long error) {
        MxrException exception = new MxrException(
                Code.of(Native.errorCode(error)),
                Bridge.text(Native.errorMessage(error)),
                Bridge.text(Native.errorOperator(error)),
                Bridge.text(Native.errorArgument(error)));
        Throwable cause = Upcalls.failure(Native.errorOrigin(error));
        Native.errorFree(error);
        if (cause != null) exception.initCause(cause);
        return exception;
    }

    static MxrException invalid(String argument, String message) {
        return new MxrException(Code.INVALID_VALUE, message, null, argument);
    }
}
