package io.mxr;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;

/** Outputs of a graph of operators, composed before it runs. Symbols never change. Operators are in {@link Sym}. */
public final class Symbol extends Handle {
    private static final Map<String, AtomicLong> NUMBERS = new ConcurrentHashMap<>();

    Symbol(long pointer) {
        super(pointer, Native::symbolFree);
    }

    private static Symbol taken(LongUnaryOperator call) {
        return new Symbol(Texts.place(call));
    }

    /** Runs a call that uses this symbol. */
    private <T> T with(java.util.function.Function<Frame, T> call) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            return call.apply(frame);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    // Making symbols.

    /** A variable. */
    public static Symbol variable(String name) {
        return variable(name, Map.of());
    }

    /** A variable with attributes, which are texts, as {@code __shape__} and {@code (2, 3)}, {@code lr_mult} and 2. */
    public static Symbol variable(String name, Map<String, String> attrs) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            Map<String, String> all = withScope(attrs);
            long keys = frame.texts(all.keySet());
            long values = frame.texts(all.values());
            long text = frame.text(name);
            return taken(out -> Native.symbolVariable(text, keys, values, all.size(), out));
        } finally {
            frame.reset(mark);
        }
    }

    /** All outputs of several symbols as one. */
    public static Symbol group(List<Symbol> symbols) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long handles = frame.handles(symbols);
            return taken(out -> Native.symbolGroup(handles, symbols.size(), out));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(symbols);
        }
    }

    /** Reads a {@code -symbol.json} file of any version of MXNet. */
    public static Symbol load(String path) {
        return ofText(path, Native::symbolLoad);
    }

    /** The symbol that a JSON text describes. */
    public static Symbol fromJson(String json) {
        return ofText(json, Native::symbolFromJson);
    }

    private interface Reader {
        long read(long text, long out);
    }

    private static Symbol ofText(String text, Reader reader) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long address = frame.text(text);
            return taken(out -> reader.read(address, out));
        } finally {
            frame.reset(mark);
        }
    }

    /** Inputs of a call: those by position first, others by the names of their parameters. */
    static final class Inputs {
        private final List<String> names = new ArrayList<>();
        private final List<Symbol> symbols = new ArrayList<>();

        /** Null symbols are left out, as variables that the call makes. */
        void add(String name, Symbol symbol) {
            if (symbol == null) return;
            names.add(name);
            symbols.add(symbol);
        }
    }

    /** Calls an operator by its handle. */
    static Symbol call(long op, String hint, CallOptions<?> options, Inputs inputs) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            List<String> keys = new ArrayList<>(options.attrs.names());
            List<String> values = new ArrayList<>(options.attrs.texts());
            Map<String, String> more = withScope(options.nodeAttrs == null ? Map.of() : options.nodeAttrs);
            keys.addAll(more.keySet());
            values.addAll(more.values());
            String name = options.name != null ? options.name : newName(hint);
            long text = frame.text(name);
            long keyTexts = frame.texts(keys);
            long valueTexts = frame.texts(values);
            long handles = frame.handles(inputs.symbols);
            long names = frame.texts(inputs.names);
            int n = inputs.symbols.size();
            return taken(out ->
                    Native.symbolCall(op, text, keyTexts, valueTexts, keys.size(), handles, names, n, out));
        } finally {
            frame.reset(mark);
        }
    }

    /** Numbers symbols without a name by what made them: {@code exp0}, {@code exp1}. */
    static String newName(String hint) {
        return hint + NUMBERS.computeIfAbsent(hint, h -> new AtomicLong()).getAndIncrement();
    }

    private static Map<String, String> withScope(Map<String, String> attrs) {
        AttrScope scope = Local.get().attrScope;
        if (scope == null) return attrs;
        Map<String, String> all = new LinkedHashMap<>(scope.attrs);
        all.putAll(attrs);
        return all;
    }

    // Asking.

    /** The name of the node; null for a group. */
    public String name() {
        return with(frame -> Texts.one(out -> Native.symbolName(handle(), out)));
    }

    private List<String> list(int which) {
        return with(frame -> Texts.list(out -> Native.symbolList(handle(), which, out)));
    }

    /** Variables that no operator changes, in MXNet's order. */
    public List<String> listArguments() {
        return list(Native.LIST_ARGUMENTS);
    }

    /** The names of the outputs. */
    public List<String> listOutputs() {
        return list(Native.LIST_OUTPUTS);
    }

    /** Variables that an operator changes, as the moving mean of a batch normalisation. */
    public List<String> listAuxiliaryStates() {
        return list(Native.LIST_AUXILIARY_STATES);
    }

    /** All variables, in the order in which {@link CachedOp} takes them. */
    public List<String> listInputs() {
        return list(Native.LIST_INPUTS);
    }

    /** An attribute of the node by the user's name; null if there is none. */
    public String attr(String key) {
        return with(frame -> {
            long text = frame.text(key);
            return Texts.one(out -> Native.symbolAttr(handle(), text, out));
        });
    }

    /** The attributes of all nodes, by their names. */
    public Map<String, Map<String, String>> attrDict() {
        List<String> flat = with(frame -> Texts.list(out -> Native.symbolAttrs(handle(), 1, out)));
        Map<String, Map<String, String>> all = new LinkedHashMap<>();
        for (int i = 0; i + 2 < flat.size(); i += 3) {
            all.computeIfAbsent(flat.get(i), node -> new LinkedHashMap<>()).put(flat.get(i + 1), flat.get(i + 2));
        }
        return all;
    }

    /** The JSON text, as MXNet 1.9.1 writes it. */
    public String toJson() {
        return with(frame -> Texts.one(out -> Native.symbolToJson(handle(), out)));
    }

    /** Writes it to a file as MXNet 1.9.1 does. */
    public void save(String path) {
        with(frame -> {
            MxrException.check(Native.symbolSave(handle(), frame.text(path)));
            return null;
        });
    }

    /** The graph for people. */
    public String debugString() {
        return with(frame -> Texts.one(out -> Native.symbolText(handle(), out)));
    }

    // New symbols of this one.

    /** One output. */
    public Symbol get(long index) {
        return with(frame -> taken(out -> Native.symbolOutput(handle(), index, out)));
    }

    /** The output of a name. */
    public Symbol get(String name) {
        return with(frame -> {
            long text = frame.text(name);
            return taken(out -> Native.symbolOutputNamed(handle(), text, out));
        });
    }

    /** All visible outputs of all nodes. */
    public Symbol internals() {
        return with(frame -> taken(out -> Native.symbolInternals(handle(), out)));
    }

    /** The inputs of the nodes of which the outputs are. */
    public Symbol children() {
        return with(frame -> taken(out -> Native.symbolChildren(handle(), out)));
    }

    /** The graph with named variables replaced by other symbols. */
    public Symbol compose(Map<String, Symbol> inputs) {
        return with(frame -> {
            long names = frame.texts(inputs.keySet());
            long handles = frame.handles(inputs.values());
            return taken(out -> Native.symbolCompose(handle(), 0, handles, names, inputs.size(), out));
        });
    }

    /** The same symbol with more attributes on its node. */
    public Symbol withAttrs(Map<String, String> attrs) {
        return with(frame -> {
            long keys = frame.texts(attrs.keySet());
            long values = frame.texts(attrs.values());
            return taken(out -> Native.symbolWithAttrs(handle(), keys, values, attrs.size(), out));
        });
    }

    // Inference.

    /** Shapes that follow from others. What is not known is null, a size that is not known -1. */
    public static final class Shapes {
        /** Of the arguments. */
        public final List<Shape> arguments;
        /** Of the outputs. */
        public final List<Shape> outputs;
        /** Of the auxiliary states. */
        public final List<Shape> auxiliaryStates;
        /** Whether everything is known. */
        public final boolean complete;

        private Shapes(List<Shape> arguments, List<Shape> outputs, List<Shape> states, boolean complete) {
            this.arguments = arguments;
            this.outputs = outputs;
            this.auxiliaryStates = states;
            this.complete = complete;
        }
    }

    /** What follows from the shapes of some variables. */
    public Shapes inferShape(Map<String, Shape> known) {
        return with(frame -> {
            long[] sizes = known.values().stream().flatMapToLong(s -> Arrays.stream(s.toArray())).toArray();
            int[] axes = known.values().stream().mapToInt(Shape::ndim).toArray();
            long names = frame.texts(known.keySet());
            long flat = frame.longs(sizes);
            long counts = frame.ints(axes);
            long inferred = Texts.place(
                    out -> Native.symbolInferShapes(handle(), names, flat, counts, known.size(), out));
            try {
                return new Shapes(
                        shapes(frame, inferred, Native.LIST_ARGUMENTS, listArguments().size()),
                        shapes(frame, inferred, Native.LIST_OUTPUTS, listOutputs().size()),
                        shapes(frame, inferred, Native.LIST_AUXILIARY_STATES, listAuxiliaryStates().size()),
                        Native.inferredComplete(inferred) == 1);
            } finally {
                Native.inferredFree(inferred);
            }
        });
    }

    private static List<Shape> shapes(Frame frame, long inferred, int list, int n) {
        List<Shape> shapes = new ArrayList<>();
        long out = frame.slots(2);
        for (int i = 0; i < n; i++) {
            MxrException.check(Native.inferredShape(inferred, list, i, out, out + 8));
            int axes = frame.getInt(out + 8);
            shapes.add(axes < 0 ? null : Shape.of(Frame.longsAt(frame.getLong(out), axes)));
        }
        return shapes;
    }

    /** The dtypes of arguments, outputs and auxiliary states that follow from those of some variables. */
    public List<List<DType>> inferType(Map<String, DType> known) {
        return with(frame -> {
            int[] codes = known.values().stream().mapToInt(dtype -> dtype.code).toArray();
            long names = frame.texts(known.keySet());
            long dtypes = frame.ints(codes);
            long inferred = Texts.place(
                    out -> Native.symbolInferDtypes(handle(), names, dtypes, known.size(), out));
            try {
                List<List<DType>> all = new ArrayList<>();
                all.add(dtypes(frame, inferred, Native.LIST_ARGUMENTS, listArguments().size()));
                all.add(dtypes(frame, inferred, Native.LIST_OUTPUTS, listOutputs().size()));
                all.add(dtypes(frame, inferred, Native.LIST_AUXILIARY_STATES, listAuxiliaryStates().size()));
                return all;
            } finally {
                Native.inferredFree(inferred);
            }
        });
    }

    private static List<DType> dtypes(Frame frame, long inferred, int list, int n) {
        List<DType> dtypes = new ArrayList<>();
        long out = frame.slot();
        for (int i = 0; i < n; i++) {
            MxrException.check(Native.inferredDtype(inferred, list, i, out));
            dtypes.add(frame.getInt(out) < 0 ? null : DType.of(frame.getInt(out)));
        }
        return dtypes;
    }

    // Running.

    /** An executor over new arrays of zeros, whose types follow from the shapes of some variables. */
    public Executor simpleBind(Map<String, Shape> shapes) {
        return Executor.simpleBind(this, new Known().shapes(shapes).gradReq("write"), new PlanOptions());
    }

    /** An executor over new arrays of zeros, whose types follow from what is known. */
    public Executor simpleBind(Known known, PlanOptions options) {
        return Executor.simpleBind(this, known, options);
    }

    /** An executor over these arrays, by name; those of {@code grads} get the gradients. */
    public Executor bind(Map<String, NDArray> variables, Map<String, NDArray> grads) {
        return Executor.bind(this, variables, grads, Map.of(), new PlanOptions());
    }

    /** Runs it once on arrays for its variables, operator by operator; while recording, each is on the tape. */
    public List<NDArray> eval(Map<String, NDArray> arrays) {
        return with(frame -> {
            int n = listOutputs().size();
            long out = frame.slots(n);
            long names = frame.texts(arrays.keySet());
            MxrException.check(Native.symbolRun(
                    handle(), names, frame.handles(arrays.values()), arrays.size(), Local.get().call, out));
            return NDArray.taken(frame, out, n);
        });
    }

    // Arithmetic.

    private Symbol binary(String operator, String hint, Symbol other) {
        return Sym.call(operator, hint, List.of(this, other), Map.of());
    }

    private Symbol scalar(String operator, String hint, double scalar) {
        return Sym.call(operator, hint, List.of(this), Map.of("scalar", scalar));
    }

    /** The sum. */
    public Symbol add(Symbol other) {
        return binary("elemwise_add", "_plus", other);
    }

    /** The sum. */
    public Symbol add(double scalar) {
        return scalar("_plus_scalar", "_plusscalar", scalar);
    }

    /** The difference. */
    public Symbol sub(Symbol other) {
        return binary("elemwise_sub", "_minus", other);
    }

    /** The difference. */
    public Symbol sub(double scalar) {
        return scalar("_minus_scalar", "_minusscalar", scalar);
    }

    /** {@code scalar} minus this. */
    public Symbol rsub(double scalar) {
        return scalar("_rminus_scalar", "_rminusscalar", scalar);
    }

    /** The product of elements. */
    public Symbol mul(Symbol other) {
        return binary("elemwise_mul", "_mul", other);
    }

    /** The product. */
    public Symbol mul(double scalar) {
        return scalar("_mul_scalar", "_mulscalar", scalar);
    }

    /** The quotient of elements. */
    public Symbol div(Symbol other) {
        return binary("elemwise_div", "_div", other);
    }

    /** The quotient. */
    public Symbol div(double scalar) {
        return scalar("_div_scalar", "_divscalar", scalar);
    }

    /** {@code scalar} divided by this. */
    public Symbol rdiv(double scalar) {
        return scalar("_rdiv_scalar", "_rdivscalar", scalar);
    }

    /** The power. */
    public Symbol pow(double exponent) {
        return scalar("_power_scalar", "_powerscalar", exponent);
    }

    /** Minus this. */
    public Symbol neg() {
        return mul(-1);
    }

    @Override
    public String toString() {
        return isClosed() ? "<Symbol closed>" : "<Symbol " + (name() == null ? "group" : name()) + ">";
    }
}
