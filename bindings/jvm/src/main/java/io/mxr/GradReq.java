package io.mxr;

/** What to do with a gradient, by MXNet's words. */
final class GradReq {
    private GradReq() {}

    static int code(String request) {
        switch (request) {
            case "null":
                return Native.REQUEST_NULL;
            case "write":
                return Native.REQUEST_WRITE;
            case "inplace":
                return Native.REQUEST_IN_PLACE;
            case "add":
                return Native.REQUEST_ADD;
            default:
                throw MxrException.invalid("gradReq", "expected write, add or null, got " + request);
        }
    }
}
