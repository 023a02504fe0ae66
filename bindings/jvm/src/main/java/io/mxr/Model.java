package io.mxr;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A graph with its parameters, in one file of mxr's or in MXNet's two. */
public final class Model {
    private final Symbol symbol;
    private final Map<String, NDArray> argParams;
    private final Map<String, NDArray> auxParams;
    private final Map<String, String> texts;

    /** Of these parts. */
    public Model(Symbol symbol, Map<String, NDArray> argParams, Map<String, NDArray> auxParams) {
        this(symbol, argParams, auxParams, Map.of());
    }

    /** Of these parts, with texts of the user's. */
    public Model(
            Symbol symbol, Map<String, NDArray> argParams, Map<String, NDArray> auxParams,
            Map<String, String> texts) {
        this.symbol = symbol;
        this.argParams = argParams;
        this.auxParams = auxParams;
        this.texts = texts;
    }

    /** The graph. */
    public Symbol symbol() {
        return symbol;
    }

    /** The parameters by name. */
    public Map<String, NDArray> argParams() {
        return argParams;
    }

    /** The auxiliary states by name. */
    public Map<String, NDArray> auxParams() {
        return auxParams;
    }

    /** Texts of the user's. */
    public Map<String, String> texts() {
        return texts;
    }

    /** Opens a file of mxr's. Its arrays stay in the file until they are written to. */
    public static Model load(String path) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long text = frame.text(path);
            long model = Texts.place(out -> Native.modelLoad(text, 0, out));
            try {
                Symbol symbol = new Symbol(Texts.place(out -> Native.modelSymbol(model, out)));
                Map<String, NDArray> all = NDList.taken(Texts.place(out -> Native.modelArrays(model, out)));
                List<String> flat = Texts.list(out -> Native.modelTexts(model, out));
                Map<String, String> texts = new LinkedHashMap<>();
                for (int i = 0; i + 1 < flat.size(); i += 2) texts.put(flat.get(i), flat.get(i + 1));
                return new Model(symbol, of("arg:", all), of("aux:", all), texts);
            } finally {
                Native.modelFree(model);
            }
        } finally {
            frame.reset(mark);
        }
    }

    /** Writes a file of mxr's. What has no parameter is an input. */
    public void save(String path) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        Map<String, NDArray> all = prefixed();
        try {
            MxrException.check(Native.modelSave(
                    frame.text(path), symbol.handle(), frame.texts(all.keySet()), frame.handles(all.values()),
                    all.size(), 0, 0, frame.texts(texts.keySet()), frame.texts(texts.values()), texts.size()));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(all);
            Reference.reachabilityFence(symbol);
        }
    }

    /** Reads MXNet's {@code PREFIX-symbol.json} and {@code PREFIX-EPOCH.params}. */
    public static Model loadCheckpoint(String prefix, int epoch) {
        Map<String, NDArray> all = NDList.load(String.format("%s-%04d.params", prefix, epoch));
        return new Model(Symbol.load(prefix + "-symbol.json"), of("arg:", all), of("aux:", all));
    }

    /** Writes MXNet's two files. */
    public void saveCheckpoint(String prefix, int epoch) {
        symbol.save(prefix + "-symbol.json");
        NDList.save(String.format("%s-%04d.params", prefix, epoch), prefixed());
    }

    private Map<String, NDArray> prefixed() {
        Map<String, NDArray> all = new LinkedHashMap<>();
        argParams.forEach((name, array) -> all.put("arg:" + name, array));
        auxParams.forEach((name, array) -> all.put("aux:" + name, array));
        return all;
    }

    private static Map<String, NDArray> of(String prefix, Map<String, NDArray> all) {
        Map<String, NDArray> some = new LinkedHashMap<>();
        all.forEach((name, array) -> {
            if (name.startsWith(prefix)) some.put(name.substring(prefix.length()), array);
        });
        return some;
    }

    /** The variables that no parameter is for: data and labels. */
    public List<String> inputs() {
        List<String> names = new ArrayList<>(symbol.listInputs());
        names.removeAll(argParams.keySet());
        names.removeAll(auxParams.keySet());
        return names;
    }

    /** Ready to predict. */
    public Predictor predictor() {
        return new Predictor(this);
    }
}
