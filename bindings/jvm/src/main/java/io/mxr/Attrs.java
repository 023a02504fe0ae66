package io.mxr;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** The attributes that a call gives, as the library takes them: as tagged values, or for symbols as texts. */
final class Attrs {
    /** No attributes. */
    static final Attrs NONE = new Attrs();
    private static final int BYTES = 32;

    private int size;
    private int[] ids = {};
    private int[] tags = {};
    private String[] names = {};
    private Object[] values = {};

    private void add(int id, String name, int tag, Object value) {
        for (int i = 0; i < size; i++) {
            if (ids[i] == id) {
                tags[i] = tag;
                values[i] = value;
                return;
            }
        }
        if (size == ids.length) {
            int room = Math.max(4, 2 * size);
            ids = Arrays.copyOf(ids, room);
            tags = Arrays.copyOf(tags, room);
            names = Arrays.copyOf(names, room);
            values = Arrays.copyOf(values, room);
        }
        ids[size] = id;
        names[size] = name;
        tags[size] = value == null ? Native.ATTR_NO_VALUE : tag;
        values[size++] = value;
    }

    void bool(int id, String name, boolean value) {
        add(id, name, Native.ATTR_BOOL, value);
    }

    void integer(int id, String name, long value) {
        add(id, name, Native.ATTR_INT, value);
    }

    void number(int id, String name, double value) {
        add(id, name, Native.ATTR_FLOAT, value);
    }

    void text(int id, String name, String value) {
        add(id, name, Native.ATTR_STRING, value);
    }

    void dtype(int id, String name, DType value) {
        add(id, name, Native.ATTR_STRING, value == null ? null : value.toString());
    }

    void ints(int id, String name, long[] value) {
        add(id, name, Native.ATTR_INTS, value);
    }

    void ints(int id, String name, Shape value) {
        add(id, name, Native.ATTR_INTS, value == null ? null : value.toArray());
    }

    void numbers(int id, String name, double[] value) {
        add(id, name, Native.ATTR_FLOATS, value);
    }

    void texts(int id, String name, String[] value) {
        add(id, name, Native.ATTR_STRINGS, value);
    }

    /** No value, where the default is one. */
    void none(int id, String name) {
        add(id, name, Native.ATTR_NO_VALUE, null);
    }

    /** A value of any of Java's types. */
    void any(int id, String name, Object value) {
        if (value == null) none(id, name);
        else if (value instanceof Boolean) bool(id, name, (Boolean) value);
        else if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            integer(id, name, ((Number) value).longValue());
        } else if (value instanceof Number) number(id, name, ((Number) value).doubleValue());
        else if (value instanceof Shape) ints(id, name, (Shape) value);
        else if (value instanceof long[]) ints(id, name, (long[]) value);
        else if (value instanceof int[]) ints(id, name, Arrays.stream((int[]) value).asLongStream().toArray());
        else if (value instanceof double[]) numbers(id, name, (double[]) value);
        else if (value instanceof String[]) texts(id, name, (String[]) value);
        else if (value instanceof Collection) list(id, name, new ArrayList<>((Collection<?>) value));
        else text(id, name, value.toString());
    }

    private void list(int id, String name, List<?> values) {
        boolean texts = values.stream().anyMatch(v -> v instanceof CharSequence);
        boolean numbers = values.stream().anyMatch(v -> v instanceof Double || v instanceof Float);
        if (texts) texts(id, name, values.stream().map(String::valueOf).toArray(String[]::new));
        else if (numbers) numbers(id, name, values.stream().mapToDouble(v -> ((Number) v).doubleValue()).toArray());
        else ints(id, name, values.stream().mapToLong(v -> v == null ? ND.NONE : ((Number) v).longValue()).toArray());
    }

    /** A value by its name; null if it was not given. */
    Object get(String name) {
        int at = Arrays.asList(names).indexOf(name);
        return at < 0 ? null : values[at];
    }

    int size() {
        return size;
    }

    /** Writes them as {@code mxr_attr_t}, and returns the address. */
    long write(Frame frame) {
        if (size == 0) return 0;
        long all = frame.take((long) BYTES * size);
        for (int i = 0; i < size; i++) {
            long at = all + (long) BYTES * i;
            frame.putInt(at, ids[i]);
            frame.putInt(at + 4, tags[i]);
            write(frame, at, tags[i], values[i]);
        }
        return all;
    }

    private static void write(Frame frame, long at, int tag, Object value) {
        long integer = 0;
        long data = 0;
        double number = 0;
        switch (tag) {
            case Native.ATTR_BOOL:
                integer = (Boolean) value ? 1 : 0;
                break;
            case Native.ATTR_INT:
                integer = (Long) value;
                break;
            case Native.ATTR_FLOAT:
                number = (Double) value;
                break;
            case Native.ATTR_STRING:
                byte[] bytes = ((String) value).getBytes(StandardCharsets.UTF_8);
                integer = bytes.length;
                data = frame.bytes(bytes, bytes.length);
                break;
            case Native.ATTR_INTS:
                integer = ((long[]) value).length;
                data = frame.longs((long[]) value);
                break;
            case Native.ATTR_FLOATS:
                integer = ((double[]) value).length;
                data = frame.doubles((double[]) value);
                break;
            case Native.ATTR_STRINGS:
                integer = ((String[]) value).length;
                data = frame.texts(Arrays.asList((String[]) value));
                break;
            default:
                break;
        }
        frame.putLong(at + 8, integer);
        frame.putDouble(at + 16, number);
        frame.putLong(at + 24, data);
    }

    List<String> names() {
        return Arrays.asList(names).subList(0, size);
    }

    /** The values as MXNet writes them. */
    List<String> texts() {
        List<String> out = new ArrayList<>();
        for (int i = 0; i < size; i++) out.add(text(values[i]));
        return out;
    }

    /** {@code True}, {@code 3}, {@code 0.5}, {@code (2, 3)}, {@code None}. */
    static String text(Object value) {
        if (value == null) return "None";
        if (value instanceof Boolean) return (Boolean) value ? "True" : "False";
        List<String> parts = new ArrayList<>();
        if (value instanceof long[]) {
            for (long one : (long[]) value) parts.add(one == ND.NONE ? "None" : Long.toString(one));
        } else if (value instanceof double[]) {
            for (double one : (double[]) value) parts.add(Double.toString(one));
        } else if (value instanceof String[]) {
            parts.addAll(Arrays.asList((String[]) value));
        } else {
            return value.toString();
        }
        return "(" + String.join(", ", parts) + (parts.size() == 1 ? ",)" : ")");
    }
}
