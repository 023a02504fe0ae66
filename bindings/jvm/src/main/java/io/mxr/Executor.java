package io.mxr;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A symbol bound to arrays: it computes outputs from its arguments, and gradients. */
public final class Executor extends Handle {
    /** Sees every output of every operator in forward passes. */
    @FunctionalInterface
    public interface Monitor {
        /** An output by its name. What it throws, the pass throws when it is done. */
        void see(String name, NDArray output);
    }

    private final Symbol symbol;

    private Executor(long pointer, Symbol symbol) {
        super(pointer, Native::executorFree);
        this.symbol = symbol;
    }

    static Executor simpleBind(Symbol symbol, Known known, PlanOptions options) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long variables = known.write(frame);
            long how = options.write(frame);
            long made = Texts.place(
                    out -> Native.executorSimpleBind(symbol.handle(), variables, 0, how, out));
            return new Executor(made, symbol);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(symbol);
        }
    }

    /** Binds a symbol to arrays by name. Gradients without a request are written. */
    public static Executor bind(
            Symbol symbol, Map<String, NDArray> variables, Map<String, NDArray> grads, Map<String, String> requests,
            PlanOptions options) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            List<NDArray> arrays = new ArrayList<>();
            List<NDArray> gradients = new ArrayList<>();
            List<String> names = symbol.listInputs();
            int[] codes = new int[names.size()];
            for (int i = 0; i < codes.length; i++) {
                String name = names.get(i);
                NDArray array = variables.get(name);
                if (array == null) throw MxrException.invalid(name, "expected an array for the variable " + name);
                arrays.add(array);
                gradients.add(grads.get(name));
                String request = requests.getOrDefault(name, "write");
                codes[i] = grads.get(name) == null ? Native.REQUEST_NULL : GradReq.code(request);
            }
            long handles = frame.handles(arrays);
            long gradHandles = frame.handles(gradients);
            long asked = frame.ints(codes);
            long how = options.write(frame);
            long made = Texts.place(out -> Native.executorBind(
                    symbol.handle(), handles, gradHandles, asked, codes.length, 0, how, out));
            return new Executor(made, symbol);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(symbol);
            Reference.reachabilityFence(variables);
            Reference.reachabilityFence(grads);
        }
    }

    /** Computes the outputs. In training it prepares for {@link #backward}. */
    public List<NDArray> forward(boolean training) {
        MxrException.check(Native.executorForward(handle(), training ? 1 : 0));
        Upcalls.checkMonitor();
        return outputs();
    }

    /** Copies arrays to arguments and computes the outputs. */
    public List<NDArray> forward(boolean training, Map<String, NDArray> arguments) {
        copyParamsFrom(arguments, false);
        return forward(training);
    }

    /** Computes the gradients after a forward pass in training; outputs of losses need no head gradient. */
    public void backward(NDArray... headGrads) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            List<NDArray> heads = List.of(headGrads);
            MxrException.check(Native.executorBackward(handle(), frame.handles(heads), headGrads.length));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(headGrads);
            Reference.reachabilityFence(this);
        }
    }

    private NDArray array(int list, long i) {
        try {
            return new NDArray(Texts.place(out -> Native.executorArray(handle(), list, i, out)));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What the last forward pass computed. */
    public List<NDArray> outputs() {
        int n = symbol.listOutputs().size();
        List<NDArray> all = new ArrayList<>(n);
        for (int i = 0; i < n; i++) all.add(array(Native.LIST_OUTPUTS, i));
        return all;
    }

    private Map<String, NDArray> dict(int list, List<String> names) {
        Map<String, NDArray> all = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) all.put(names.get(i), array(list, i));
        return all;
    }

    /** The arguments' arrays by name. */
    public Map<String, NDArray> argDict() {
        return dict(Native.LIST_ARGUMENTS, symbol.listArguments());
    }

    /** The auxiliary states' arrays by name. */
    public Map<String, NDArray> auxDict() {
        return dict(Native.LIST_AUXILIARY_STATES, symbol.listAuxiliaryStates());
    }

    /** The gradients by their arguments' names, without those that were not asked for. */
    public Map<String, NDArray> gradDict() {
        Map<String, NDArray> all = new LinkedHashMap<>();
        List<String> names = symbol.listArguments();
        for (int i = 0; i < names.size(); i++) {
            long at = i;
            long found = Texts.place(out -> Native.executorGradient(handle(), at, out));
            if (found != 0) all.put(names.get(i), new NDArray(found));
        }
        return all;
    }

    /** Copies arrays to the variables of their names; with {@code allowExtra} other names are passed over. */
    public void copyParamsFrom(Map<String, NDArray> params, boolean allowExtra) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            MxrException.check(Native.executorCopyParams(
                    handle(), frame.texts(params.keySet()), frame.handles(params.values()), params.size(),
                    allowExtra ? 1 : 0));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(params);
            Reference.reachabilityFence(this);
        }
    }

    /** An executor of the same symbol for other shapes, which shares what fits. */
    public Executor reshape(Known known, boolean allowUpSizing) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long variables = known.write(frame);
            int up = allowUpSizing ? 1 : 0;
            return new Executor(Texts.place(out -> Native.executorReshape(handle(), variables, up, out)), symbol);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    /** The plan for prediction or training. */
    public Plan plan(boolean training) {
        try {
            return new Plan(Texts.place(out -> Native.executorPlan(handle(), training ? 1 : 0, out)));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Shows every output of every operator to a monitor; null ends it. */
    public void setMonitor(Monitor monitor) {
        long payload = monitor == null ? 0 : Bridge.keep(monitor);
        long see = monitor == null ? 0 : Bridge.callback(Bridge.MONITOR);
        long drop = monitor == null ? 0 : Bridge.callback(Bridge.DROP);
        MxrException.check(Native.executorSetMonitor(handle(), see, payload, drop));
    }

    /** The symbol. */
    public Symbol symbol() {
        return symbol;
    }
}
