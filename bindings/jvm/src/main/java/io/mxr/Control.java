package io.mxr;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongBiFunction;

/** Loops and branches in symbols, as MXNet's {@code contrib.foreach}, {@code while_loop} and {@code cond}. */
public final class Control {
    private Control() {}

    private static final String SCOPE = "__subgraph_name__";
    private static final int BODY_BYTES = 40;
    private static final AtomicLong NUMBER = new AtomicLong();

    /** What a step makes: outputs, and the states of the next step. */
    public static final class Step {
        final List<Symbol> outputs;
        final List<Symbol> states;

        /** Both may be empty. */
        public Step(List<Symbol> outputs, List<Symbol> states) {
            this.outputs = outputs;
            this.states = states;
        }
    }

    /** A step of a loop over rows. */
    @FunctionalInterface
    public interface Body {
        /** From a row of each of the data, and the states. */
        Step step(List<Symbol> rows, List<Symbol> states);
    }

    /** What was composed in a scope of its own: variables, outputs and the scope's name. */
    private static final class Traced {
        final String scope;
        final List<Symbol> variables = new ArrayList<>();
        final List<Symbol> outputs = new ArrayList<>();

        Traced(String kind) {
            AttrScope around = Local.get().attrScope;
            String outer = around == null ? null : around.attrs.get(SCOPE);
            scope = (outer == null ? "" : outer + "$") + kind + NUMBER.getAndIncrement();
        }

        /** Composes the outputs from so many variables; what they are made of belongs to the body. */
        Traced run(int numVariables, Function<List<Symbol>, List<Symbol>> body) {
            try (AttrScope in = new AttrScope(Map.of(SCOPE, scope))) {
                for (int i = 0; i < numVariables; i++) variables.add(Symbol.variable(scope + "-" + i));
                outputs.addAll(body.apply(variables));
            }
            return this;
        }

        long write(Frame frame) {
            long scopeText = frame.text(scope);
            long variableHandles = frame.handles(variables);
            long outputHandles = frame.handles(outputs);
            long body = frame.slots(BODY_BYTES / 8);
            frame.putInt(body, BODY_BYTES);
            frame.putInt(body + 4, variables.size());
            frame.putLong(body + 8, scopeText);
            frame.putLong(body + 16, variableHandles);
            frame.putLong(body + 24, outputHandles);
            frame.putInt(body + 32, outputs.size());
            return body;
        }
    }

    /** Name and attributes of the node of a loop or a branch. */
    private static final class Node {
        final long name;
        final long keys;
        final long values;
        final int n;

        Node(Frame frame, String hint) {
            AttrScope around = Local.get().attrScope;
            Map<String, String> attrs = around == null ? Map.of() : around.attrs;
            name = frame.text(Symbol.newName(hint));
            keys = frame.texts(attrs.keySet());
            values = frame.texts(attrs.values());
            n = attrs.size();
        }
    }

    private static Symbol made(ToLongBiFunction<Frame, Long> call, Object... used) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long out = frame.slot();
            MxrException.check(call.applyAsLong(frame, out));
            return new Symbol(frame.getLong(out));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(used);
        }
    }

    /** A loop over the rows of data. Its outputs are those of the body, stacked, then the last states. */
    public static Symbol foreach(Body body, List<Symbol> data, List<Symbol> states) {
        Traced step = new Traced("foreach").run(data.size() + states.size(), all -> {
            Step one = body.step(all.subList(0, data.size()), all.subList(data.size(), all.size()));
            return joined(one.outputs, one.states);
        });
        return made((frame, out) -> {
            Node node = new Node(frame, "_foreach");
            return Native.symbolForeach(
                    node.name, node.keys, node.values, node.n, frame.handles(data), data.size(),
                    frame.handles(states), states.size(), step.write(frame), out);
        }, step, data, states);
    }

    /**
     * A loop as long as {@code cond} gives a number that is not zero, of so many steps at most. Its outputs are those of
     * the body, stacked, with zeros for steps that are not taken, then the last states.
     */
    public static Symbol whileLoop(
            Function<List<Symbol>, Symbol> cond, Function<List<Symbol>, Step> body, List<Symbol> states,
            long maxIterations) {
        Traced test = new Traced("while_loop_cond").run(states.size(), all -> List.of(cond.apply(all)));
        Traced step = new Traced("while_loop_func").run(states.size(), all -> {
            Step one = body.apply(all);
            return joined(one.outputs, one.states);
        });
        return made((frame, out) -> {
            Node node = new Node(frame, "_while_loop");
            return Native.symbolWhileLoop(
                    node.name, node.keys, node.values, node.n, frame.handles(states), states.size(),
                    test.write(frame), step.write(frame), maxIterations, out);
        }, test, step, states);
    }

    /** What {@code then} makes if {@code pred} is not zero, else what {@code otherwise} makes. */
    public static Symbol cond(Symbol pred, Supplier<List<Symbol>> then, Supplier<List<Symbol>> otherwise) {
        Traced test = new Traced("cond_pred");
        test.outputs.add(pred);
        Traced yes = new Traced("cond_then").run(0, none -> then.get());
        Traced no = new Traced("cond_else").run(0, none -> otherwise.get());
        return made((frame, out) -> {
            Node node = new Node(frame, "_cond");
            return Native.symbolCond(
                    node.name, node.keys, node.values, node.n, test.write(frame), yes.write(frame),
                    no.write(frame), out);
        }, test, yes, no);
    }

    private static List<Symbol> joined(List<Symbol> a, List<Symbol> b) {
        List<Symbol> all = new ArrayList<>(a);
        all.addAll(b);
        return all;
    }
}
