package io.mxr;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Files of arrays: MXNet's, as {@code mx.nd.save} writes them, and safetensors. */
public final class NDList {
    private NDList() {}

    /** Writes arrays with their names as MXNet does. An existing file is replaced only by a whole one. */
    public static void save(String path, Map<String, NDArray> arrays) {
        save(path, arrays.keySet(), arrays.values());
    }

    /** Writes arrays without names. */
    public static void save(String path, List<NDArray> arrays) {
        save(path, null, arrays);
    }

    private static void save(String path, Collection<String> names, Collection<NDArray> arrays) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long texts = names == null ? 0 : frame.texts(names);
            MxrException.check(Native.listSave(frame.text(path), texts, frame.handles(arrays), arrays.size()));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(arrays);
        }
    }

    /** Reads the arrays of a file by name; those without a name are called by their number. */
    public static Map<String, NDArray> load(String path) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long text = frame.text(path);
            return taken(Texts.place(out -> Native.listLoad(text, out)));
        } finally {
            frame.reset(mark);
        }
    }

    /** The arrays of a list of the library's, which is freed. */
    static Map<String, NDArray> taken(long list) {
        try {
            Map<String, NDArray> all = new LinkedHashMap<>();
            long n = Native.listLen(list);
            for (long i = 0; i < n; i++) {
                long at = i;
                String name = Bridge.text(Native.listName(list, i));
                NDArray array = new NDArray(Texts.place(out -> Native.listArray(list, at, out)));
                all.put(name == null ? Long.toString(i) : name, array);
            }
            return all;
        } finally {
            Native.listFree(list);
        }
    }

    /** The arrays of a file in their order. */
    public static List<NDArray> loadList(String path) {
        return new ArrayList<>(load(path).values());
    }
}
