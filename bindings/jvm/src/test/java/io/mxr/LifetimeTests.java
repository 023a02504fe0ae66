package io.mxr;

import static io.mxr.Testing.check;
import static io.mxr.Testing.elements;
import static io.mxr.Testing.equal;
import static io.mxr.Testing.fails;

import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Memory that the collector does not see, scopes, threads. */
public final class LifetimeTests {
    /** Memory of the process, in bytes. */
    private static long resident() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
        throw new AssertionError("no VmRSS");
    }

    /** The loop of temporaries; returns the most bytes that arrays held. */
    private static long temporaries(int n, long... shape) {
        NDArray x = NDArray.ones(shape);
        Memory.trim();
        for (int i = 0; i < n; i++) x = x.add(1).sub(1);
        equal(1.0, x.reshape(-1).at(0).item());
        return Memory.peak();
    }

    public void memoryStaysFlatOverAHundredThousandTemporaries() throws Exception {
        long before = resident();
        // 4 KiB each: 400 MB in all.
        long peak = temporaries(50_000, 32, 32);
        check(peak < 160L << 20, "arrays held " + (peak >> 20) + " MiB");
        long grown = resident() - before;
        check(grown < 512L << 20, "the process grew by " + (grown >> 20) + " MiB");
    }

    public void memoryStaysFlatOverSmallTemporaries() throws Exception {
        temporaries(20_000, 4);
        long before = resident();
        temporaries(100_000, 4);
        long grown = resident() - before;
        check(grown < 256L << 20, "the process grew by " + (grown >> 20) + " MiB");
    }

    public void aScopeClosesWhatWasMadeInIt() {
        NDArray kept;
        NDArray lost;
        NDArray outer;
        try (NDScope scope = NDScope.open()) {
            lost = NDArray.ones(2);
            try (NDScope inner = NDScope.open()) {
                outer = inner.keep(lost.add(1));
                lost.mul(3);
            }
            check(!outer.isClosed(), "kept for the scope around");
            kept = scope.keep(outer.add(lost));
        }
        check(lost.isClosed() && outer.isClosed(), "closed with the scope");
        elements(kept, 3, 3);
    }

    public void whatABufferLentIsGivenBack() throws Exception {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.nativeOrder());
        WeakReference<ByteBuffer> lent = new WeakReference<>(buffer);
        NDArray array = NDArray.wrap(buffer, DType.FLOAT32);
        buffer = null;
        System.gc();
        check(lent.get() != null, "the array keeps the buffer");
        elements(array.slice(0, 1), 0);
        array.close();
        // The slice, too, keeps it until it is collected.
        for (int i = 0; i < 100 && lent.get() != null; i++) {
            System.gc();
            Thread.sleep(10);
            Native.eventsPoll();
        }
        check(lent.get() == null, "the buffer is collected after the array");
    }

    public void objectsOutliveWhatTheyWereMadeFrom() {
        Symbol symbol = Symbol.variable("x").mul(2);
        CachedOp op = new CachedOp(symbol);
        symbol.close();
        NDArray x = NDArray.of(new float[] {1, 2});
        NDArray view = x.reshape(2, 1);
        x.close();
        elements(op.call(view).get(0), 2, 4);
    }

    public void threadsShareArrays() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Callable<Boolean>> tasks = new ArrayList<>();
        NDArray shared = NDArray.of(new float[] {0, 1, 2});
        for (int i = 0; i < 200; i++) {
            int number = i;
            tasks.add(() -> {
                NDArray y = shared.mul(2).add(number);
                return java.util.Arrays.equals(
                        y.toFloatArray(), new float[] {number, number + 2, number + 4});
            });
        }
        for (Future<Boolean> one : pool.invokeAll(tasks)) check(one.get(), "right on every thread");
        pool.shutdown();
    }

    public void flagsAndDevicesBelongToTheThread() throws Exception {
        try (Scope scope = Autograd.record()) {
            boolean[] other = {true};
            Thread thread = new Thread(() -> other[0] = Autograd.isRecording());
            thread.start();
            thread.join();
            check(Autograd.isRecording() && !other[0], "recording");
        }
        check(!Autograd.isRecording() && !Autograd.isTraining(), "left");
    }

    public void manyAndLongArgumentsFit() throws Exception {
        List<NDArray> many = new ArrayList<>();
        for (int i = 0; i < 5000; i++) many.add(NDArray.of(new float[] {i}));
        NDArray all = ND.concat(many, o -> o.dim(0));
        equal(5000L, all.size());
        equal(4999.0, all.at(-1).item());
        String name = "n".repeat(100_000);
        equal(name, Symbol.variable(name).name());
        fails(MxrException.Code.NOT_FOUND, () -> Symbol.variable("x").get(name));
    }

    public void shutdownIsNotTheEnd() {
        NDArray x = NDArray.ones(3);
        Engine.shutdown();
        elements(x.add(1), 2, 2, 2);
    }
}
