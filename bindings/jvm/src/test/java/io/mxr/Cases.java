package io.mxr;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;

/** The conformance cases, read from the lines that {@code cargo xtask test} writes. */
final class Cases {
    private Cases() {}

    /** Numbers with a shape. */
    static final class Tensor {
        /** Null for the dtype that the case runs with. */
        DType dtype;
        int input;
        long[] shape;
        double[] data;
        /** Integers that doubles cannot hold, and all others. */
        long[] integers;
    }

    /** A call with what is expected of it. */
    static final class Case {
        String operator;
        String name;
        final List<DType> dtypes = new ArrayList<>();
        boolean training;
        double tolerance;
        double precision;
        /** By number. No value is null. */
        final Map<Integer, Object> attrs = new LinkedHashMap<>();
        final List<Tensor> inputs = new ArrayList<>();
        final List<Tensor> outputs = new ArrayList<>();
        final List<Tensor> gradients = new ArrayList<>();
        final List<Tensor> states = new ArrayList<>();
        String error;
    }

    /** The cases of each operator. */
    static Map<String, List<Case>> read(Path path) throws IOException {
        Map<String, List<Case>> all = new LinkedHashMap<>();
        String operator = null;
        Case one = null;
        for (String line : Files.readAllLines(path)) {
            Iterator<String> words = new Scanner(line).tokens().iterator();
            String kind = words.next();
            if (kind.equals("operator")) {
                operator = word(words.next());
                all.put(operator, new ArrayList<>());
            } else if (kind.equals("case")) {
                one = new Case();
                one.operator = operator;
                one.name = word(words.next());
                all.get(operator).add(one);
            } else if (!kind.equals("end")) {
                add(one, kind, words);
            }
        }
        return all;
    }

    private static void add(Case one, String kind, Iterator<String> words) {
        switch (kind) {
            case "dtypes":
                for (int n = integer(words); n > 0; n--) one.dtypes.add(DType.of(integer(words)));
                break;
            case "settings":
                one.training = integer(words) != 0;
                one.tolerance = number(words.next());
                one.precision = number(words.next());
                break;
            case "attr":
                // The number of an attribute that there is not does not fit an int.
                one.attrs.put((int) Long.parseLong(words.next()), attr(words));
                break;
            case "input":
                int code = integer(words);
                Tensor input = tensor(words);
                input.dtype = code < 0 ? null : DType.of(code);
                one.inputs.add(input);
                break;
            case "error":
                one.error = words.next();
                break;
            case "output":
                one.outputs.add(tensor(words));
                break;
            case "gradient":
                one.gradients.add(tensor(words));
                break;
            case "state":
                int index = integer(words);
                Tensor state = tensor(words);
                state.input = index;
                one.states.add(state);
                break;
            default:
                throw new IllegalArgumentException("there is no line " + kind);
        }
    }

    private static int integer(Iterator<String> words) {
        return Integer.parseInt(words.next());
    }

    private static double number(String word) {
        switch (word) {
            case "nan":
                return Double.NaN;
            case "inf":
                return Double.POSITIVE_INFINITY;
            case "-inf":
                return Double.NEGATIVE_INFINITY;
            default:
                return Double.parseDouble(word);
        }
    }

    private static Object attr(Iterator<String> words) {
        String form = words.next();
        switch (form) {
            case "bool":
                return integer(words) != 0;
            case "int":
                return Long.parseLong(words.next());
            case "float":
                return number(words.next());
            case "string":
                return word(words.next());
            case "no_value":
                return null;
            default:
                break;
        }
        int n = integer(words);
        List<String> all = new ArrayList<>();
        for (int i = 0; i < n; i++) all.add(words.next());
        if (form.equals("ints")) return all.stream().mapToLong(Long::parseLong).toArray();
        if (form.equals("floats")) return all.stream().mapToDouble(Cases::number).toArray();
        return all.stream().map(Cases::word).toArray(String[]::new);
    }

    private static Tensor tensor(Iterator<String> words) {
        Tensor out = new Tensor();
        out.shape = new long[integer(words)];
        int size = 1;
        for (int i = 0; i < out.shape.length; i++) size *= out.shape[i] = Long.parseLong(words.next());
        out.data = new double[size];
        out.integers = new long[size];
        for (int i = 0; i < size; i++) {
            String word = words.next();
            out.data[i] = number(word);
            out.integers[i] = word.matches("-?\\d+") ? Long.parseLong(word) : (long) out.data[i];
        }
        return out;
    }

    /** A text of which special bytes are {@code %} and two digits; {@code %} alone is no text. */
    private static String word(String word) {
        if (word.equals("%")) return "";
        byte[] bytes = new byte[word.length()];
        int n = 0;
        for (int i = 0; i < word.length(); i++) {
            boolean special = word.charAt(i) == '%';
            bytes[n++] = (byte) (special ? Integer.parseInt(word.substring(i + 1, i + 3), 16) : word.charAt(i));
            if (special) i += 2;
        }
        return new String(bytes, 0, n, StandardCharsets.UTF_8);
    }
}
