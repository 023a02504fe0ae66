package io.mxr;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Calls of operators on arrays by name. */
public abstract class NDCalls {
    NDCalls() {}

    /** Stands for nothing in lists of numbers where that is allowed, as the end in a slice. */
    public static final long NONE = Long.MIN_VALUE;

    /** Calls an operator by MXNet's name, with attributes by MXNet's names in any of Java's types. */
    public static List<NDArray> call(String name, List<NDArray> inputs, Map<String, ?> attrs) {
        Registry.Entry entry = Registry.find("operators", name);
        Attrs given = new Attrs();
        entry.put(given, attrs);
        int single = Math.min(inputs.size(), entry.variadic ? entry.inputs - 1 : entry.inputs);
        if (!entry.variadic && inputs.size() > entry.inputs) {
            String message = name + ": expected at most " + entry.inputs + " arrays, got " + inputs.size();
            throw new MxrException(MxrException.Code.INVALID_VALUE, message, name, "inputs");
        }
        NDArray[] first = inputs.subList(0, single).toArray(new NDArray[0]);
        List<NDArray> rest = new ArrayList<>(inputs.subList(single, inputs.size()));
        if (entry.many) return entry.op.all(given, Op.NOWHERE, rest, first);
        return Collections.singletonList(entry.op.one(given, null, rest, first));
    }
}
