package io.mxr;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * A thread's memory for what calls of the library point to: a stack. What is written after {@link #mark} is gone after
 * {@link #reset}; addresses are valid until then.
 */
final class Frame {
    private static final int CHUNK = 8 << 10;
    /** Chunks that were in use before a request did not fit. */
    private final List<ByteBuffer> older = new ArrayList<>();
    private ByteBuffer memory;
    private long base;
    private int top;

    Frame() {
        use(CHUNK);
    }

    private void use(int bytes) {
        memory = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        base = Bridge.address(memory);
        top = 0;
    }

    /** What {@link #reset} takes. */
    long mark() {
        return (long) older.size() << 32 | top;
    }

    /** Gives back everything since the mark. */
    void reset(long mark) {
        int chunks = (int) (mark >> 32);
        if (older.size() > chunks) {
            memory = older.get(chunks);
            base = Bridge.address(memory);
            older.subList(chunks, older.size()).clear();
        }
        top = (int) mark;
    }

    /** Takes memory, 8-aligned and not cleared, and returns its address. */
    long take(long bytes) {
        if (bytes > memory.capacity() - top) {
            if (bytes > Integer.MAX_VALUE / 2) throw new OutOfMemoryError("arguments of " + bytes + " bytes");
            older.add(memory);
            use((int) Math.max(bytes + 8, 4L * CHUNK));
        }
        long address = base + top;
        top = (int) Math.min(memory.capacity(), (top + bytes + 7) & ~7L);
        return address;
    }

    /** Place of an address that was taken, in its chunk. */
    private ByteBuffer chunk(long address) {
        if (address >= base && address < base + memory.capacity()) return memory;
        for (ByteBuffer buffer : older) {
            long start = Bridge.address(buffer);
            if (address >= start && address < start + buffer.capacity()) return buffer;
        }
        throw new IllegalStateException("not an address of this frame");
    }

    private int offset(ByteBuffer chunk, long address) {
        return (int) (address - (chunk == memory ? base : Bridge.address(chunk)));
    }

    long getLong(long address) {
        ByteBuffer chunk = chunk(address);
        return chunk.getLong(offset(chunk, address));
    }

    int getInt(long address) {
        ByteBuffer chunk = chunk(address);
        return chunk.getInt(offset(chunk, address));
    }

    double getDouble(long address) {
        ByteBuffer chunk = chunk(address);
        return chunk.getDouble(offset(chunk, address));
    }

    void putLong(long address, long value) {
        ByteBuffer chunk = chunk(address);
        chunk.putLong(offset(chunk, address), value);
    }

    void putInt(long address, int value) {
        ByteBuffer chunk = chunk(address);
        chunk.putInt(offset(chunk, address), value);
    }

    void putDouble(long address, double value) {
        ByteBuffer chunk = chunk(address);
        chunk.putDouble(offset(chunk, address), value);
    }

    /** A place for a pointer or a number of 8 bytes, which is zero. */
    long slot() {
        return slots(1);
    }

    /** So many places. */
    long slots(int n) {
        long address = take(8L * n);
        for (int i = 0; i < n; i++) putLong(address + 8L * i, 0);
        return address;
    }

    /** A text with its zero; 0 for null. */
    long text(String text) {
        if (text == null) return 0;
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        long address = bytes(bytes, bytes.length + 1);
        ByteBuffer chunk = chunk(address);
        chunk.put(offset(chunk, address) + bytes.length, (byte) 0);
        return address;
    }

    /** Bytes, and room after them. */
    long bytes(byte[] bytes, int room) {
        long address = take(room);
        ByteBuffer copy = chunk(address).duplicate();
        copy.position((int) (address - Bridge.address(chunk(address))));
        copy.put(bytes);
        return address;
    }

    /** An array of texts. */
    long texts(Collection<String> texts) {
        long[] addresses = new long[texts.size()];
        int i = 0;
        for (String text : texts) addresses[i++] = text(text);
        return longs(addresses);
    }

    long longs(long... values) {
        long address = take(8L * values.length);
        for (int i = 0; i < values.length; i++) putLong(address + 8L * i, values[i]);
        return address;
    }

    long ints(int... values) {
        long address = take(4L * values.length);
        for (int i = 0; i < values.length; i++) putInt(address + 4L * i, values[i]);
        return address;
    }

    long doubles(double... values) {
        long address = take(8L * values.length);
        for (int i = 0; i < values.length; i++) putDouble(address + 8L * i, values[i]);
        return address;
    }

    /** The handles of some objects; 0 for null. */
    long handles(Collection<? extends Handle> objects) {
        long[] handles = new long[objects.size()];
        int i = 0;
        for (Handle object : objects) handles[i++] = object == null ? 0 : object.handle();
        return longs(handles);
    }

    /** Element {@code i} of an array of pointers of the library's. */
    static long pointerAt(long address, long i) {
        return foreign(address, i + 1).getLong((int) (8 * i));
    }

    static void setPointerAt(long address, long i, long value) {
        foreign(address, i + 1).putLong((int) (8 * i), value);
    }

    private static ByteBuffer foreign(long address, long longs) {
        return Bridge.buffer(address, 8 * longs).order(ByteOrder.nativeOrder());
    }

    /** So many numbers of the library's. */
    static long[] longsAt(long address, int n) {
        long[] out = new long[n];
        if (n > 0) foreign(address, n).asLongBuffer().get(out);
        return out;
    }
}
