package io.mxr;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model that is ready to predict, on any number of threads.
 *
 * <pre>{@code
 * Predictor model = Predictor.load("resnet", 0);
 * NDArray scores = model.predict(pictures);
 * }</pre>
 */
public final class Predictor implements AutoCloseable {
    private final Model model;
    private final List<String> inputs;
    private final CachedOp op;

    Predictor(Model model) {
        this.model = model;
        inputs = model.inputs();
        op = new CachedOp(model.symbol());
    }

    /** Opens a file of mxr's. */
    public static Predictor load(String path) {
        return Model.load(path).predictor();
    }

    /** Reads MXNet's two files. */
    public static Predictor load(String prefix, int epoch) {
        return Model.loadCheckpoint(prefix, epoch).predictor();
    }

    /** The names of the inputs: data and labels. */
    public List<String> inputs() {
        return inputs;
    }

    /** The first output for the first input. Labels are zeros. */
    public NDArray predict(NDArray data) {
        if (inputs.isEmpty()) throw MxrException.invalid("data", "the model has no input");
        return predict(Map.of(inputs.get(0), data)).get(0);
    }

    /** The outputs for inputs by name. Those that are not given are zeros of the shapes that follow. */
    public List<NDArray> predict(Map<String, NDArray> data) {
        Map<String, NDArray> all = new LinkedHashMap<>(model.argParams());
        all.putAll(model.auxParams());
        for (String name : data.keySet()) {
            if (inputs.contains(name)) continue;
            String message = "the model has no input " + name + "; its inputs are " + inputs;
            throw new MxrException(MxrException.Code.NOT_FOUND, message, null, name);
        }
        all.putAll(data);
        if (data.size() < inputs.size()) addZeros(all);
        NDArray[] ordered = model.symbol().listInputs().stream().map(all::get).toArray(NDArray[]::new);
        try (Scope scope = Autograd.pause()) {
            return op.call(ordered);
        }
    }

    private void addZeros(Map<String, NDArray> all) {
        Map<String, Shape> known = new LinkedHashMap<>();
        all.forEach((name, array) -> known.put(name, array.shape()));
        List<Shape> shapes = model.symbol().inferShape(known).arguments;
        List<String> names = model.symbol().listArguments();
        for (String name : inputs) {
            if (all.containsKey(name)) continue;
            Shape shape = shapes.get(names.indexOf(name));
            if (shape == null) throw MxrException.invalid(name, "expected the input " + name);
            all.put(name, NDArray.zeros(shape.toArray()));
        }
    }

    @Override
    public void close() {
        op.close();
    }
}
