package io.mxr;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What can be found by name: operators, optimizers, learning-rate schedules, initializers, with their attributes. */
public final class Registry {
    private Registry() {}

    private static final Map<String, Map<String, Entry>> KINDS = read();

    /** A thing. */
    static final class Entry {
        final String name;
        final Op op;
        final boolean many;
        final boolean variadic;
        final int inputs;
        /** The attributes' numbers by name. */
        final Map<String, Integer> attrs = new LinkedHashMap<>();

        private Entry(String[] fields) {
            name = fields[1];
            String[] names = fields[4].isEmpty() ? new String[0] : fields[4].split(",");
            String[] version = fields[3].split("\\.");
            op = fields[0].equals("operators")
                    ? new Op(name, Integer.parseInt(version[0]), Integer.parseInt(version[1]), plain(names))
                    : null;
            inputs = names.length;
            variadic = names.length > 0 && names[names.length - 1].endsWith("*");
            many = fields[5].equals("many");
            for (int i = 6; i < fields.length; i++) {
                String[] attr = fields[i].split(":");
                attrs.put(attr[0], Integer.parseInt(attr[1]));
            }
        }

        private static String[] plain(String[] names) {
            String[] out = names.clone();
            for (int i = 0; i < out.length; i++) out[i] = out[i].replace("*", "");
            return out;
        }

        /** Attributes by name, in any of Java's types. */
        void put(Attrs to, Map<String, ?> given) {
            for (Map.Entry<String, ?> one : given.entrySet()) {
                Integer id = attrs.get(one.getKey());
                if (id == null) {
                    String message = String.format(
                            "%s: there is no attribute %s; there are %s", name, one.getKey(), attrs.keySet());
                    throw new MxrException(MxrException.Code.NOT_FOUND, message, name, one.getKey());
                }
                to.any(id, one.getKey(), one.getValue());
            }
        }
    }

    /** The names of a kind: {@code operators}, {@code optimizers}, {@code lr_schedulers}, {@code initializers}, …. */
    public static Collection<String> names(String kind) {
        List<String> names = new ArrayList<>();
        KINDS.getOrDefault(kind, Map.of()).values().stream().map(entry -> entry.name).distinct().forEach(names::add);
        return names;
    }

    /** What a kind has under a name or another name of it. */
    static Entry find(String kind, String name) {
        Map<String, Entry> all = KINDS.get(kind);
        Entry found = all.get(name);
        if (found == null) found = all.get(name.toLowerCase(Locale.ROOT));
        if (found != null) return found;
        String message = "there is no " + name + " among the " + kind;
        throw new MxrException(MxrException.Code.NOT_FOUND, message, null, "name");
    }

    /** The lines of {@code registry.txt}. */
    private static Map<String, Map<String, Entry>> read() {
        Map<String, Map<String, Entry>> kinds = new HashMap<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Registry.class.getResourceAsStream("registry.txt"), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.startsWith("#")) add(kinds, line.split("\t", -1));
            }
            return kinds;
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static void add(Map<String, Map<String, Entry>> kinds, String[] fields) {
        Entry entry = new Entry(fields);
        Map<String, Entry> all = kinds.computeIfAbsent(fields[0], kind -> new LinkedHashMap<>());
        all.put(entry.name, entry);
        for (String alias : fields[2].split(",")) all.putIfAbsent(alias, entry);
        // Operators may differ in capitals alone.
        if (!fields[0].equals("operators")) all.putIfAbsent(entry.name.toLowerCase(Locale.ROOT), entry);
    }
}
