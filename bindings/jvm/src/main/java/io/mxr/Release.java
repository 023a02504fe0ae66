package io.mxr;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.LongConsumer;

/**
 * Gives an object of the library's back, once: when asked to, or after nothing refers to its owner any more.
 *
 * <p>Whoever makes an array gives one back that the collector found ({@link #one}), whose memory it then uses at once.
 * When nobody makes arrays, a thread of its own does.
 */
final class Release extends PhantomReference<Object> {
    private static final AtomicLongFieldUpdater<Release> POINTER =
            AtomicLongFieldUpdater.newUpdater(Release.class, "pointer");
    private static final ReferenceQueue<Object> FOUND = new ReferenceQueue<>();
    /** How long what was found waits for somebody who makes arrays. */
    private static final long PATIENCE_MILLISECONDS = 100;

    /** Whether somebody has given some back. */
    private static volatile boolean served;

    static {
        Thread thread = new Thread(Release::rest, "mxr-release");
        thread.setDaemon(true);
        thread.start();
    }

    private final LongConsumer free;
    private final Kept kept;
    private final int place;
    private volatile long pointer;

    Release(Object owner, long pointer, LongConsumer free) {
        super(owner, FOUND);
        this.pointer = pointer;
        this.free = free;
        Kept some = Kept.mine();
        int at = some.next.getAndIncrement();
        while (at >= Kept.MANY) {
            some = Kept.fresh(some);
            at = some.next.getAndIncrement();
        }
        kept = some;
        place = at;
        some.releases[at] = this;
    }

    /** The library's handle; 0 after it was given back. */
    long pointer() {
        return pointer;
    }

    /** Gives it back, if that was not done. */
    void run() {
        long last = POINTER.getAndSet(this, 0);
        if (last == 0) return;
        clear();
        kept.drop(place);
        free.accept(last);
    }

    /** Gives back one that the collector found; false if there is none. */
    static boolean one() {
        Release one = (Release) FOUND.poll();
        if (one == null) return false;
        one.run();
        if (!served) served = true;
        return true;
    }

    /** Gives back all that the collector has found. */
    static void all() {
        while (one()) {}
    }

    /** Asks the collector to look; it tells what it finds little by little, and {@code last} at some time. */
    static void ask(Runnable last) {
        new Release(new Object(), 1, pointer -> last.run());
        System.gc();
    }

    /** Asks the collector, and gives back what it finds, which may take so long. */
    static void collect(long milliseconds) throws InterruptedException {
        AtomicBoolean last = new AtomicBoolean();
        ask(() -> last.set(true));
        long end = System.nanoTime() + milliseconds * 1_000_000;
        while (System.nanoTime() < end) {
            Release one = (Release) FOUND.remove(last.get() ? 1 : milliseconds);
            if (one == null) return;
            one.run();
        }
    }

    /** Gives back what nobody else does. */
    private static void rest() {
        while (true) {
            try {
                ((Release) FOUND.remove()).run();
                do {
                    served = false;
                    Thread.sleep(PATIENCE_MILLISECONDS);
                } while (served);
                all();
            } catch (InterruptedException none) {
                // Nobody has a reason to.
            }
        }
    }

    /**
     * Keeps some releases from the collector until they have run. All are a list in the order in which they were made, in
     * which the collector then finds what it does: what is given back in the order of its memory is so several times
     * faster.
     */
    private static final class Kept {
        static final int MANY = 64;
        private static final int STRIPES = 16;
        private static final Kept ALL = new Kept(0);
        /** Where threads put theirs, apart so that few meet. */
        private static final AtomicReferenceArray<Kept> CURRENT = new AtomicReferenceArray<>(STRIPES);

        final Release[] releases = new Release[MANY];
        final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger left = new AtomicInteger(MANY);
        private final int stripe;
        private Kept before = this;
        private Kept after = this;

        private Kept(int stripe) {
            this.stripe = stripe;
        }

        static Kept mine() {
            int stripe = (int) Thread.currentThread().getId() % STRIPES;
            Kept current = CURRENT.get(stripe);
            return current != null ? current : replaced(stripe, null);
        }

        /** The one after one that is full. */
        static Kept fresh(Kept full) {
            return replaced(full.stripe, full);
        }

        private static Kept replaced(int stripe, Kept old) {
            Kept fresh = new Kept(stripe);
            if (!CURRENT.compareAndSet(stripe, old, fresh)) return CURRENT.get(stripe);
            synchronized (ALL) {
                fresh.before = ALL.before;
                fresh.after = ALL;
                ALL.before.after = fresh;
                ALL.before = fresh;
            }
            return fresh;
        }

        void drop(int place) {
            releases[place] = null;
            if (left.decrementAndGet() > 0) return;
            synchronized (ALL) {
                before.after = after;
                after.before = before;
                // What is old would else keep what is young from the collector.
                before = after = null;
            }
        }
    }
}
