package io.mxr;

import static io.mxr.Testing.check;
import static io.mxr.Testing.close;
import static io.mxr.Testing.elements;
import static io.mxr.Testing.equal;
import static io.mxr.Testing.fails;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Symbols, executors, control flow, models. */
public final class SymbolTests {
    private static Symbol mlp() {
        Symbol hidden = Sym.fullyConnected(Symbol.variable("data"), 8, o -> o.name("fc1"));
        Symbol scores = Sym.fullyConnected(Sym.activation(hidden, "relu"), 3, o -> o.name("fc2"));
        return Sym.softmaxOutput(scores, o -> o.name("softmax"));
    }

    public void whatWasRecordedIsASymbol() throws Exception {
        NDArray x = NDArray.of(new float[] {1, 2}).attachGrad();
        NDArray c = NDArray.of(new float[] {3, 4});
        Symbol symbol = Autograd.getSymbol(Autograd.record(() -> x.mul(c)));
        equal(List.of("var0", "null1"), symbol.listArguments());
        elements(symbol.bind(Map.of("var0", c, "null1", c), Map.of()).forward(false).get(0), 9, 16);
        fails(MxrException.Code.AUTOGRAD, () -> Autograd.getSymbol(c));
    }

    public void inputsThatAreNotGivenBecomeVariables() {
        Symbol net = mlp();
        equal(List.of("data", "fc1_weight", "fc1_bias", "fc2_weight", "fc2_bias", "softmax_label"), net.listArguments());
        equal(List.of("softmax_output"), net.listOutputs());
        Symbol.Shapes shapes = net.inferShape(Map.of("data", Shape.of(4, 5)));
        equal(Shape.of(8, 5), shapes.arguments.get(1));
        equal(List.of(Shape.of(4, 3)), shapes.outputs);
        check(shapes.complete, "everything follows");
        check(!net.inferShape(Map.of()).complete, "nothing follows from nothing");
        equal(DType.FLOAT64, net.inferType(Map.of("data", DType.FLOAT64)).get(1).get(0));
    }

    public void symbolsAreComposedAndAsked() {
        Symbol x = Symbol.variable("x", Map.of("lr_mult", "2"));
        equal("2", x.attr("lr_mult"));
        equal(null, x.attr("nothing"));
        Symbol y = x.mul(3).add(Symbol.variable("y"));
        equal(List.of("x", "y"), y.listInputs());
        Symbol z = y.compose(Map.of("y", Symbol.variable("z").pow(2)));
        equal(List.of("x", "z"), z.listInputs());
        elements(z.eval(Map.of("x", NDArray.of(new float[] {1}), "z", NDArray.of(new float[] {4}))).get(0), 19);
        equal(2, Symbol.group(List.of(x, y)).listOutputs().size());
        check(y.internals().listOutputs().size() > 2, "internals");
        try (AttrScope scope = new AttrScope(Map.of("ctx_group", "a"))) {
            equal("a", Symbol.variable("v").attr("ctx_group"));
        }
        equal(null, Symbol.variable("v").attr("ctx_group"));
    }

    public void symbolsGoThroughJsonAndFiles() throws Exception {
        Symbol net = mlp();
        equal(net.toJson(), Symbol.fromJson(net.toJson()).toJson());
        Path path = Files.createTempFile("net", ".json");
        net.save(path.toString());
        equal(net.listArguments(), Symbol.load(path.toString()).listArguments());
        Files.delete(path);
        fails(MxrException.Code.FORMAT, () -> Symbol.fromJson("{"));
    }

    public void anExecutorComputesOutputsAndGradients() {
        Symbol y = Symbol.variable("a").mul(Symbol.variable("b"));
        Map<String, NDArray> args = Map.of("a", NDArray.of(new float[] {1, 2}), "b", NDArray.of(new float[] {3, 4}));
        Map<String, NDArray> grads = Map.of("a", NDArray.zeros(2));
        Executor executor = y.bind(args, grads);
        elements(executor.forward(true).get(0), 3, 8);
        executor.backward(NDArray.of(new float[] {1, 10}));
        elements(grads.get("a"), 3, 40);
        equal(1, executor.gradDict().size());
        elements(executor.forward(false, Map.of("a", NDArray.of(new float[] {5, 5}))).get(0), 15, 20);
        List<String> seen = new ArrayList<>();
        executor.setMonitor((name, output) -> seen.add(name));
        executor.forward(false);
        executor.setMonitor(null);
        executor.setMonitor((name, output) -> {
            throw new IllegalStateException(name);
        });
        try {
            executor.forward(false);
            throw new AssertionError("the monitor's exception is lost");
        } catch (IllegalStateException own) {
            executor.setMonitor(null);
        }
        check(seen.stream().anyMatch(name -> name.endsWith("_output")), "the monitor saw " + seen);
    }

    public void anExecutorIsReshapedAndPlanned() {
        Executor executor = mlp().simpleBind(new Known().shape("data", 4, 5).gradReq("write"), new PlanOptions());
        equal(Shape.of(4, 3), executor.forward(false).get(0).shape());
        Executor larger = executor.reshape(new Known().shape("data", 8, 5), true);
        equal(Shape.of(8, 3), larger.forward(false).get(0).shape());
        Plan plan = executor.plan(true);
        check(plan.peakBytes() > 0 && plan.peakBytes() <= plan.unplannedBytes(), "the plan shares memory");
        check(plan.flops() > 0 && plan.steps() > 0 && !plan.toString().isEmpty(), "the plan reports");
        Plan least = Plan.of(mlp(), new Known().shape("data", 64, 5).gradReq("write"), new PlanOptions().training());
        check(least.parameterBytes() > 0, "without running");
    }

    public void aCachedOpIsOneOperationOnTheTape() {
        CachedOp op = new CachedOp(Symbol.variable("x").pow(3));
        NDArray x = NDArray.of(new float[] {2});
        x.attachGrad();
        Autograd.record(() -> op.call(x).get(0)).backward();
        elements(x.grad(), 12);
    }

    public void loopsRunOverRows() {
        Symbol sums = Control.foreach(
                (rows, states) -> {
                    Symbol sum = rows.get(0).add(states.get(0));
                    return new Control.Step(List.of(sum), List.of(sum));
                },
                List.of(Symbol.variable("x")), List.of(Symbol.variable("s")));
        Map<String, NDArray> arrays = Map.of("x", NDArray.of(new float[] {1, 2, 3}, 3, 1), "s", NDArray.zeros(1));
        List<NDArray> results = sums.eval(arrays);
        elements(results.get(0), 1, 3, 6);
        elements(results.get(1), 6);
    }

    public void loopsEndByTheirCondition() {
        Symbol loop = Control.whileLoop(
                states -> Sym.call("_lesser_scalar", "less", List.of(states.get(0)), Map.of("scalar", 3.0)),
                states -> new Control.Step(List.of(states.get(0)), List.of(states.get(0).add(1))),
                List.of(Symbol.variable("i")), 5);
        List<NDArray> results = loop.eval(Map.of("i", NDArray.zeros(1)));
        elements(results.get(0), 0, 1, 2, 0, 0);
        elements(results.get(1), 3);
    }

    public void oneOfTwoBranchesRuns() {
        Symbol x = Symbol.variable("x");
        Symbol branch = Control.cond(Symbol.variable("p"), () -> List.of(x.mul(2)), () -> List.of(x.mul(3)));
        NDArray one = NDArray.ones(1);
        elements(branch.eval(Map.of("x", one, "p", NDArray.ones(1))).get(0), 2);
        elements(branch.eval(Map.of("x", one, "p", NDArray.zeros(1))).get(0), 3);
    }

    public void aSavedModelPredictsInThreeLines() throws Exception {
        Executor executor = mlp().simpleBind(Map.of("data", Shape.of(2, 5)));
        Map<String, NDArray> params = new LinkedHashMap<>(executor.argDict());
        params.remove("data");
        params.remove("softmax_label");
        params.forEach((name, array) -> Initializers.xavier().apply(name, array));
        NDArray data = Random.uniform(0, 1, 2, 5);
        NDArray expected = executor.forward(false, Map.of("data", data)).get(0);
        Path folder = Files.createTempDirectory("model");
        Model model = new Model(mlp(), params, Map.of(), Map.of("author", "a test"));
        model.save(folder + "/net.safetensors");
        model.saveCheckpoint(folder + "/net", 3);

        Predictor predictor = Predictor.load(folder + "/net.safetensors");
        NDArray scores = predictor.predict(data);
        close(2, scores.sum().item(), 1e-5);

        check(scores.allClose(expected, 1e-5, 1e-6), "as the executor");
        check(Predictor.load(folder + "/net", 3).predict(data).allClose(expected, 1e-5, 1e-6), "from MXNet's files");
        equal("a test", Model.load(folder + "/net.safetensors").texts().get("author"));
        equal(List.of("data", "softmax_label"), predictor.inputs());
        fails(MxrException.Code.NOT_FOUND, () -> predictor.predict(Map.of("image", data)));
    }
}
