package io.mxr;

import java.util.Map;

/** Making what is found by name. */
final class Registered {
    private Registered() {}

    /** A function of the library that makes a thing. */
    interface Maker {
        long make(long name, long attrs, int numAttrs, long out);
    }

    /** The handle of a new thing. */
    static long make(String name, Attrs attrs, Maker maker) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long text = frame.text(name);
            long values = attrs.write(frame);
            return Texts.place(out -> maker.make(text, values, attrs.size(), out));
        } finally {
            frame.reset(mark);
        }
    }

    /** Attributes by name. */
    static Attrs attrs(String kind, String name, Map<String, ?> given) {
        Attrs attrs = new Attrs();
        Registry.find(kind, name).put(attrs, given);
        return attrs;
    }
}
