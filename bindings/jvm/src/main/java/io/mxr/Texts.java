package io.mxr;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;

/** Results of the library's that are texts. */
final class Texts {
    private Texts() {}

    /** The list that a call puts into a place, which is freed. */
    static List<String> list(LongUnaryOperator call) {
        long texts = place(call);
        try {
            List<String> out = new ArrayList<>();
            long n = Native.textsLen(texts);
            for (long i = 0; i < n; i++) out.add(Bridge.text(Native.textsGet(texts, i)));
            return out;
        } finally {
            Native.textsFree(texts);
        }
    }

    /** The text that a call puts into a place, which is freed; null for none. */
    static String one(LongUnaryOperator call) {
        long text = place(call);
        try {
            return Bridge.text(text);
        } finally {
            Native.stringFree(text);
        }
    }

    /** The pointer that a call puts into a place. */
    static long place(LongUnaryOperator call) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long out = frame.slot();
            MxrException.check(call.applyAsLong(out));
            return frame.getLong(out);
        } finally {
            frame.reset(mark);
        }
    }
}
