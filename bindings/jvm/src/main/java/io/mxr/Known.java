package io.mxr;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What is known of a symbol's variables, by name, and what to do with their gradients. */
public final class Known {
    private static final int BYTES = 80;
    private final Map<String, Shape> shapes = new LinkedHashMap<>();
    private final Map<String, DType> dtypes = new LinkedHashMap<>();
    private final Map<String, String> requests = new LinkedHashMap<>();
    private String otherRequests = "null";

    /** Shapes; a size of -1 is not known. */
    public Known shapes(Map<String, Shape> known) {
        shapes.putAll(known);
        return this;
    }

    /** A shape. */
    public Known shape(String name, long... sizes) {
        shapes.put(name, Shape.of(sizes));
        return this;
    }

    /** A dtype. */
    public Known dtype(String name, DType dtype) {
        dtypes.put(name, dtype);
        return this;
    }

    /** What to do with a variable's gradient: {@code write}, {@code add} or {@code null}. */
    public Known gradReq(String name, String request) {
        requests.put(name, request);
        return this;
    }

    /** What to do with all other gradients; {@code null} at first. */
    public Known gradReq(String request) {
        otherRequests = request;
        return this;
    }

    /** Writes the {@code mxr_known_t}. */
    long write(Frame frame) {
        List<long[]> sizes = shapes.values().stream().map(Shape::toArray).collect(Collectors.toList());
        long[] places = sizes.stream().mapToLong(frame::longs).toArray();
        long shapeNames = frame.texts(shapes.keySet());
        long shapePlaces = frame.longs(places);
        long axes = frame.ints(sizes.stream().mapToInt(one -> one.length).toArray());
        long dtypeNames = frame.texts(dtypes.keySet());
        long codes = frame.ints(dtypes.values().stream().mapToInt(dtype -> dtype.code).toArray());
        long requestNames = frame.texts(requests.keySet());
        long asked = frame.ints(requests.values().stream().mapToInt(GradReq::code).toArray());
        long known = frame.slots(BYTES / 8);
        frame.putInt(known, BYTES);
        frame.putInt(known + 4, shapes.size());
        frame.putLong(known + 8, shapeNames);
        frame.putLong(known + 16, shapePlaces);
        frame.putLong(known + 24, axes);
        frame.putLong(known + 32, dtypeNames);
        frame.putLong(known + 40, codes);
        frame.putInt(known + 48, dtypes.size());
        frame.putInt(known + 52, requests.size());
        frame.putLong(known + 56, requestNames);
        frame.putLong(known + 64, asked);
        frame.putInt(known + 72, GradReq.code(otherRequests));
        return known;
    }
}
