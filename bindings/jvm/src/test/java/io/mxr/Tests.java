package io.mxr;

/** Runs all tests but the operators' cases. */
final class Tests {
    private Tests() {}

    public static void main(String[] args) throws Exception {
        Testing.run(ArrayTests.class);
        Testing.run(ErrorTests.class);
        Testing.run(LifetimeTests.class);
        Testing.run(ModuleTests.class);
        Testing.run(SymbolTests.class);
        Testing.run(TrainingTests.class);
        Testing.finish();
    }
}
