package io.mxr;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Every operator by its public functions, on arrays and on symbols: {@code CASES QUIRKS [OPERATOR]}. */
final class Conformance {
    private static final double[] PATTERN = {0.5, -1.0, 1.5, 0.25, -0.75};
    private static final String[] NOT_COMPILED = {
        "too many inputs", "wrong type", "no such attribute", "missing attribute", "no such value"
    };
    private final Map<String, Caller> onArrays = Caller.all(ND.class);
    private final Map<String, Caller> onSymbols = Caller.all(Sym.class);
    private final Set<String> usedQuirks = new HashSet<>();
    private final boolean full = "1".equals(System.getenv("MXR_TEST_FULL"));
    private String quirks;

    /** How a case is run. */
    private static final class Way {
        final DType dtype;
        final boolean view;
        final boolean symbolic;

        Way(DType dtype, boolean view, boolean symbolic) {
            this.dtype = dtype;
            this.view = view;
            this.symbolic = symbolic;
        }
    }

    public static void main(String[] args) throws Exception {
        Conformance runner = new Conformance();
        runner.quirks = Files.readString(Path.of(args[1]));
        String only = args.length > 2 ? args[2] : null;
        for (Map.Entry<String, List<Cases.Case>> operator : Cases.read(Path.of(args[0])).entrySet()) {
            String name = operator.getKey();
            boolean isPublic = runner.onArrays.containsKey(name);
            if (!isPublic || only != null && !only.equals(name)) continue;
            try (NDScope scope = NDScope.open()) {
                boolean ok = !operator.getValue().isEmpty();
                for (Cases.Case one : operator.getValue()) ok &= runner.check(one);
                Testing.count(name, ok);
            }
        }
        for (String why : only == null ? NOT_COMPILED : new String[0]) {
            Testing.count("quirk: " + why, runner.quirks.contains('"' + why + '"') == runner.usedQuirks.contains(why));
        }
        Testing.finish();
    }

    /** Runs a case with float32, float64 or int32, or, if it takes none of these, with its first dtype. */
    private boolean check(Cases.Case one) throws Exception {
        List<DType> dtypes = new ArrayList<>(one.dtypes);
        if (!full) dtypes.removeIf(d -> d != DType.FLOAT32 && d != DType.FLOAT64 && d != DType.INT32);
        if (dtypes.isEmpty() && !one.dtypes.isEmpty()) dtypes.add(one.dtypes.get(0));
        boolean ok = true;
        for (DType dtype : dtypes) {
            ok &= check(one, new Way(dtype, false, false));
            if (one.error != null) continue;
            ok &= check(one, new Way(dtype, true, false));
            ok &= check(one, new Way(dtype, false, true));
        }
        return ok;
    }

    private boolean check(Cases.Case one, Way way) throws Exception {
        boolean never = way.symbolic && quirks.contains('"' + one.operator + " on symbols\"");
        List<NDArray> inputs = new ArrayList<>();
        try {
            List<NDArray> outputs = run(one, way, inputs);
            if (never) return failed(one, way, "passes, but quirks.json lists it");
            if (one.error != null) return failed(one, way, "expected " + one.error + ", got a result");
            return compare(one, way, inputs, outputs);
        } catch (Caller.DoesNotCompile doesNot) {
            usedQuirks.add(doesNot.getMessage());
            if (!quirks.contains('"' + doesNot.getMessage() + '"')) return failed(one, way, doesNot.getMessage());
            return one.error != null || failed(one, way, "does not compile (" + doesNot.getMessage() + ")");
        } catch (MxrException error) {
            boolean right = one.error != null && code(one.error) == error.code() && error.operator() != null;
            return right || never || failed(one, way, error.toString());
        }
    }

    private static MxrException.Code code(String name) {
        String words = name.equals("DType") ? name : name.replaceAll("([a-z])([A-Z])", "$1_$2");
        return MxrException.Code.valueOf(words.toUpperCase(Locale.ROOT));
    }

    /** Runs a case: inputs, the call, waiting and, where there are expected gradients, backward. */
    private List<NDArray> run(Cases.Case one, Way way, List<NDArray> inputs) throws Exception {
        boolean graded = !one.gradients.isEmpty();
        for (Cases.Tensor input : one.inputs) {
            NDArray array = Numbers.array(input, way.dtype, way.view);
            if (graded && array.dtype().isFloat()) array.attachGrad();
            inputs.add(array);
        }
        int flags = (graded ? Native.CALL_RECORDING : 0) | (one.training ? Native.CALL_TRAINING : 0);
        List<NDArray> outputs;
        try (Scope scope = Autograd.scope(flags, 0)) {
            outputs = way.symbolic ? symbolic(one, inputs) : results(onArrays.get(one.operator).call(one, inputs));
            outputs.forEach(NDArray::waitToRead);
        }
        if (graded) {
            List<NDArray> heads = new ArrayList<>();
            for (int i = 0; i < outputs.size(); i++) heads.add(head(outputs.get(i), i));
            Autograd.backward(outputs, heads, false, one.training);
        }
        return outputs;
    }

    @SuppressWarnings("unchecked")
    private static List<NDArray> results(Object result) {
        return result instanceof NDArray ? List.of((NDArray) result) : (List<NDArray>) result;
    }

    private List<NDArray> symbolic(Cases.Case one, List<NDArray> inputs) throws Exception {
        List<Symbol> variables = new ArrayList<>();
        Map<String, NDArray> byName = new HashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
            variables.add(Symbol.variable("in" + i));
            byName.put("in" + i, inputs.get(i));
        }
        Symbol symbol = (Symbol) onSymbols.get(one.operator).call(one, variables);
        return new CachedOp(symbol).call(symbol.listInputs().stream().map(byName::get).toArray(NDArray[]::new));
    }

    /** The gradient that every runner feeds to an output. */
    private static NDArray head(NDArray output, int i) {
        Cases.Tensor tensor = new Cases.Tensor();
        tensor.shape = output.shape().toArray();
        tensor.data = new double[(int) output.size()];
        for (int j = 0; j < tensor.data.length; j++) tensor.data[j] = PATTERN[(i + j) % 5];
        tensor.integers = new long[tensor.data.length];
        return Numbers.array(tensor, output.dtype(), false);
    }

    private boolean compare(Cases.Case one, Way way, List<NDArray> inputs, List<NDArray> outputs) {
        if (!one.outputs.isEmpty() && one.outputs.size() != outputs.size()) {
            return failed(one, way, "got " + outputs.size() + " outputs");
        }
        boolean ok = true;
        for (int i = 0; i < one.outputs.size(); i++) {
            ok &= compare(one, way, "output " + i, one.outputs.get(i), outputs.get(i));
        }
        for (int i = 0; i < one.gradients.size() && i < inputs.size(); i++) {
            if (!inputs.get(i).dtype().isFloat()) continue;
            ok &= compare(one, way, "gradient " + i, one.gradients.get(i), inputs.get(i).grad());
        }
        for (Cases.Tensor state : one.states) {
            ok &= compare(one, way, "state " + state.input, state, inputs.get(state.input));
        }
        return ok;
    }

    private static double epsilon(DType dtype, double precision) {
        switch (dtype) {
            case FLOAT64:
                return precision;
            case FLOAT32:
                return 1e-5;
            case FLOAT16:
                return 4e-3;
            case BFLOAT16:
                return 3e-2;
            default:
                return 0;
        }
    }

    /** Whether an array has the expected shape and, within the tolerance, elements. */
    private boolean compare(Cases.Case one, Way way, String what, Cases.Tensor expected, NDArray array) {
        if (!array.shape().equals(Shape.of(expected.shape))) {
            return failed(one, way, what + " has another shape: " + array.shape());
        }
        DType dtype = array.dtype();
        double epsilon = epsilon(dtype, one.precision) * one.tolerance;
        double[] got = Numbers.elements(array);
        double[] want = new double[got.length];
        double scale = 0;
        for (int i = 0; i < got.length; i++) {
            want[i] = Numbers.wrapped(dtype, expected.data[i], expected.integers[i]);
            if (Double.isFinite(want[i])) scale = Math.max(scale, Math.abs(want[i]));
        }
        for (int i = 0; i < got.length; i++) {
            boolean close = Math.abs(got[i] - want[i]) <= epsilon * (Math.abs(want[i]) + 0.2 * scale + 1e-3);
            if (close || got[i] == want[i] || Double.isNaN(got[i]) && Double.isNaN(want[i])) continue;
            return failed(one, way, what + ", element " + i + ": expected " + want[i] + ", got " + got[i]);
        }
        return true;
    }

    private static boolean failed(Cases.Case one, Way way, String why) {
        String how = (way.view ? ", on views" : "") + (way.symbolic ? ", on symbols" : "");
        System.out.println("    " + one.operator + " '" + one.name + "', " + way.dtype + how + ": " + why);
        return false;
    }
}
