package io.mxr;

import java.lang.ref.Reference;
import java.util.List;
import java.util.Map;

/** A store of parameters, which sums what devices push. */
public final class KVStore extends Handle {
    private KVStore(long pointer) {
        super(pointer, Native::kvstoreFree);
    }

    /** By name: {@code local} or {@code device}. */
    public static KVStore create(String name) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long text = frame.text(name);
            return new KVStore(Texts.place(out -> Native.kvstoreCreate(text, out)));
        } finally {
            frame.reset(mark);
        }
    }

    private interface Call {
        long run(Frame frame, long key, long index);
    }

    /** Runs a call for a key, a text or a number. */
    private void with(Object key, Call call, Object used) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            boolean number = key instanceof Number;
            long text = number ? 0 : frame.text((String) key);
            MxrException.check(call.run(frame, text, number ? ((Number) key).longValue() : 0));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
            Reference.reachabilityFence(used);
        }
    }

    /** Keeps a copy of a value under a new key, a text or a number. */
    public void init(Object key, NDArray value) {
        with(key, (frame, text, index) -> Native.kvstoreInit(handle(), text, index, value.handle()), value);
    }

    /** Sums values, one of each device, and changes the stored one by the sum. */
    public void push(Object key, List<NDArray> values) {
        with(key, (frame, text, index) ->
                Native.kvstorePush(handle(), text, index, frame.handles(values), values.size()), values);
    }

    /** Copies the stored value to arrays. */
    public void pull(Object key, List<NDArray> out) {
        with(key, (frame, text, index) ->
                Native.kvstorePull(handle(), text, index, frame.handles(out), out.size()), out);
    }

    /** Pushes values, and then pulls to arrays. */
    public void pushPull(Object key, List<NDArray> values, List<NDArray> out) {
        with(key, (frame, text, index) -> Native.kvstorePushpull(
                handle(), text, index, frame.handles(values), values.size(), frame.handles(out), out.size()),
                List.of(values, out));
    }

    /** Updates stored values by an optimizer from now on. */
    public void setOptimizer(Optimizer optimizer) {
        try {
            MxrException.check(Native.kvstoreSetOptimizer(handle(), optimizer.handle()));
        } finally {
            Reference.reachabilityFence(this);
            Reference.reachabilityFence(optimizer);
        }
    }

    /** Changes a stored value; see {@link #setUpdater}. */
    public interface Updater {
        /**
         * Changes {@code stored} by the sum of the values pushed, both of which are closed afterwards. The key is a
         * {@code String} or a {@code Long}. It must not use the store.
         */
        void update(Object key, NDArray pushed, NDArray stored);
    }

    /** Updates stored values by a function from now on, in each push; with null sums take their place. */
    public void setUpdater(Updater updater) {
        long payload = updater == null ? 0 : Bridge.keep(updater);
        long update = updater == null ? 0 : Bridge.callback(Bridge.UPDATE);
        long drop = updater == null ? 0 : Bridge.callback(Bridge.DROP);
        try {
            MxrException.check(Native.kvstoreSetUpdate(handle(), update, payload, drop));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Compresses what is pushed to a store {@code device} from now on, as {@code 2bit}. */
    public void setGradientCompression(String name, Map<String, ?> attrs) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            Attrs values = Registered.attrs("gradient_compressions", name, attrs);
            MxrException.check(Native.kvstoreSetCompression(
                    handle(), frame.text(name), values.write(frame), values.size()));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    /** Its name. */
    public String type() {
        return Texts.one(out -> Native.kvstoreType(handle(), out));
    }

    /** The states of the optimizer. */
    public byte[] saveOptimizerStates() {
        return Optimizer.bytes((bytes, length) -> Native.kvstoreOptimizerStates(handle(), bytes, length));
    }

    /** Replaces the states of the optimizer by those that {@link #saveOptimizerStates} gave. */
    public void loadOptimizerStates(byte[] states) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long bytes = frame.bytes(states, Math.max(1, states.length));
            MxrException.check(Native.kvstoreSetOptimizerStates(handle(), bytes, states.length));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }
}
