package io.mxr;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Calls of operators on symbols by name. */
public abstract class SymCalls {
    SymCalls() {}

    /**
     * Calls an operator by MXNet's name, with attributes by MXNet's names in any of Java's types. What the symbol is
     * called begins with {@code hint}.
     */
    public static Symbol call(String name, String hint, List<Symbol> inputs, Map<String, ?> attrs) {
        Registry.Entry entry = Registry.find("operators", name);
        Options.Plain options = new Options.Plain();
        entry.put(options.attrs, attrs);
        int single = entry.variadic ? entry.inputs - 1 : entry.inputs;
        if (!entry.variadic && inputs.size() > entry.inputs) {
            String message = name + ": expected at most " + entry.inputs + " symbols, got " + inputs.size();
            throw new MxrException(MxrException.Code.INVALID_VALUE, message, name, "inputs");
        }
        int n = Math.min(single, inputs.size());
        Symbol[] first = inputs.subList(0, n).toArray(new Symbol[0]);
        List<Symbol> rest = new ArrayList<>(inputs.subList(n, inputs.size()));
        return entry.op.symbol(hint, options, rest, first);
    }
}
