package io.mxr;

import java.lang.ref.Reference;
import java.util.List;

/** An operator, found in the library when it is first called. */
final class Op {
    /** No place for results. */
    static final NDArray[] NOWHERE = {};

    final String name;
    private final int breaking;
    private final int revision;
    private final String[] inputs;
    private final boolean[] optional;
    private long handle;

    /** {@code inputs} are the parameters' names; those that may lack end with {@code ?}. */
    Op(String name, int breaking, int revision, String... inputs) {
        this.name = name;
        this.breaking = breaking;
        this.revision = revision;
        this.inputs = new String[inputs.length];
        optional = new boolean[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            optional[i] = inputs[i].endsWith("?");
            this.inputs[i] = optional[i] ? inputs[i].substring(0, inputs[i].length() - 1) : inputs[i];
        }
    }

    /** The library's operator, if it is the one that calls were generated for. */
    private long handle(Frame frame) {
        // Every thread finds the same.
        return handle != 0 ? handle : (handle = find(frame));
    }

    private long find(Frame frame) {
        long mark = frame.mark();
        try {
            long out = frame.slot();
            MxrException.check(Native.opFind(frame.text(name), out));
            long found = frame.getLong(out);
            long version = frame.slot();
            MxrException.check(Native.opVersion(found, version, version + 4));
            int hasBreaking = frame.getInt(version);
            int hasRevision = frame.getInt(version + 4);
            if (hasBreaking != breaking || hasRevision < revision) {
                String message = String.format(
                        "%s of %s has version %d.%d, and this package needs %d.%d", name, Library.file(),
                        hasBreaking, hasRevision, breaking, revision);
                throw new MxrException(MxrException.Code.VERSION, message, name, null);
            }
            return found;
        } finally {
            frame.reset(mark);
        }
    }

    /** Writes the handles of inputs, without those that lack; their number is in the address before. */
    private long write(Frame frame, NDArray[] given, List<NDArray> rest) {
        int most = given.length + (rest == null ? 0 : rest.size());
        long all = frame.take(8L * most + 8);
        int n = 0;
        for (int i = 0; i < given.length; i++) {
            if (given[i] != null) frame.putLong(all + 8 + 8L * n++, given[i].handle());
            else if (!optional[i]) throw lacks(inputs[i]);
        }
        for (int i = 0; rest != null && i < rest.size(); i++) {
            NDArray array = rest.get(i);
            if (array == null) throw lacks(inputs[inputs.length - 1]);
            frame.putLong(all + 8 + 8L * n++, array.handle());
        }
        frame.putLong(all, n);
        return all + 8;
    }

    private MxrException lacks(String input) {
        String message = name + ": " + input + ": expected an array, got null";
        return new MxrException(MxrException.Code.INVALID_VALUE, message, name, input);
    }

    /** The result of a call that has one. */
    NDArray one(Attrs attrs, NDArray out, List<NDArray> rest, NDArray... given) {
        Local local = Local.get();
        Frame frame = local.frame;
        long mark = frame.mark();
        try {
            long inputs = write(frame, given, rest);
            long results = frame.take(16);
            frame.putLong(results, out == null ? 0 : out.handle());
            frame.putInt(results + 8, 1);
            long error = Native.opInvoke(
                    handle(frame), inputs, (int) frame.getLong(inputs - 8), attrs.write(frame), attrs.size(), results,
                    results + 8, 0, local.call);
            MxrException.check(error);
            return out != null ? out : new NDArray(frame.getLong(results), local);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(given);
            Reference.reachabilityFence(rest);
        }
    }

    /** All results of a call. */
    List<NDArray> all(Attrs attrs, NDArray[] out, List<NDArray> rest, NDArray... given) {
        Local local = Local.get();
        Frame frame = local.frame;
        long mark = frame.mark();
        try {
            long inputs = write(frame, given, rest);
            long values = attrs.write(frame);
            long count = frame.slot();
            MxrException.check(Native.opNumOutputs(handle(frame), values, attrs.size(), count));
            int n = frame.getInt(count);
            long results = frame.slots(n);
            for (int i = 0; i < n && i < out.length; i++) {
                if (out[i] != null) frame.putLong(results + 8L * i, out[i].handle());
            }
            MxrException.check(Native.opInvoke(
                    handle(frame), inputs, (int) frame.getLong(inputs - 8), values, attrs.size(), results, count, 0,
                    local.call));
            NDArray[] arrays = new NDArray[n];
            for (int i = 0; i < n; i++) {
                boolean isGiven = i < out.length && out[i] != null;
                arrays[i] = isGiven ? out[i] : new NDArray(frame.getLong(results + 8L * i), local);
            }
            return List.of(arrays);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(given);
            Reference.reachabilityFence(rest);
        }
    }

    /** A symbol of a call. Inputs that are null become variables. */
    Symbol symbol(String hint, CallOptions<?> options, List<Symbol> rest, Symbol... given) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            Symbol.Inputs all = new Symbol.Inputs();
            if (rest != null) rest.forEach(symbol -> all.add(null, symbol));
            for (int i = 0; i < given.length; i++) all.add(inputs[i], given[i]);
            return Symbol.call(handle(frame), hint, options, all);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(given);
            Reference.reachabilityFence(rest);
        }
    }

    /** First one output of a call that has one: {@code options.out}. */
    static NDArray into(CallOptions<?> options) {
        return options.out.length == 0 ? null : options.out[0];
    }
}
