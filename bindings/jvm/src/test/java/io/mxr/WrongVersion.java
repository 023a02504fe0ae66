package io.mxr;

/** Loads a libmxr of another ABI version: its path is the argument. */
final class WrongVersion {
    private WrongVersion() {}

    public static void main(String[] args) {
        Testing.run("a libmxr of another ABI version is refused by its file's name", () -> {
            try {
                NDArray.zeros(1);
            } catch (UnsatisfiedLinkError error) {
                Testing.check(error.getMessage().contains(args[0]), error.getMessage());
                Testing.check(error.getMessage().contains("ABI version 999"), error.getMessage());
                return;
            }
            throw new AssertionError("it was loaded");
        });
        Testing.finish();
    }
}
