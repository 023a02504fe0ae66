import io.mxr.Autograd;
import io.mxr.Initializer;
import io.mxr.Initializers;
import io.mxr.LRScheduler;
import io.mxr.LRSchedulers;
import io.mxr.Library;
import io.mxr.ND;
import io.mxr.NDArray;
import io.mxr.NDScope;
import io.mxr.Optimizer;
import io.mxr.Optimizers;
import io.mxr.Random;
import io.mxr.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Trains LeNet on MNIST: {@code java -cp mxr-0.1.0.jar LeNet.java DATA [EPOCHS [IMAGES]]}.
 *
 * <p>DATA is a folder with MNIST's four IDX files, as train.py reads them; {@code cargo xtask demo} fetches them.
 */
public final class LeNet {
    private static final int BATCH = 64;
    private static final int PIXELS = 28 * 28;

    private LeNet() {}

    /** Images and the digits on them. */
    private static final class Images {
        final byte[] pixels;
        final byte[] digits;

        Images(String folder, String part) throws IOException {
            pixels = idx(Path.of(folder, part + "-images-idx3-ubyte"), 3);
            digits = idx(Path.of(folder, part + "-labels-idx1-ubyte"), 1);
        }

        /** The bytes of an IDX file after its header of so many sizes. */
        private static byte[] idx(Path path, int axes) throws IOException {
            byte[] bytes = Files.readAllBytes(path);
            if (bytes.length < 4 + 4 * axes || bytes[3] != axes) throw new IOException(path + " is no IDX file");
            return Arrays.copyOfRange(bytes, 4 + 4 * axes, bytes.length);
        }

        /** Images from 0 to 1 with a channel axis. */
        NDArray images(int[] chosen, int from, int n) {
            float[] out = new float[n * PIXELS];
            for (int i = 0; i < n; i++) {
                int image = chosen[from + i] * PIXELS;
                for (int j = 0; j < PIXELS; j++) out[i * PIXELS + j] = (pixels[image + j] & 0xff) / 255f;
            }
            return NDArray.of(out, n, 1, 28, 28);
        }

        NDArray labels(int[] chosen, int from, int n) {
            float[] out = new float[n];
            for (int i = 0; i < n; i++) out[i] = digits[chosen[from + i]];
            return NDArray.of(out);
        }
    }

    /** Weights that keep the size of what flows through them; biases of zero. */
    private static Map<String, NDArray> initialize() {
        Initializer fill = Initializers.xavier(o -> o.rndType("uniform").factorType("in").magnitude(6));
        Map<String, NDArray> params = new LinkedHashMap<>();
        params.put("conv1_weight", NDArray.zeros(20, 1, 5, 5));
        params.put("conv1_bias", NDArray.zeros(20));
        params.put("conv2_weight", NDArray.zeros(50, 20, 5, 5));
        params.put("conv2_bias", NDArray.zeros(50));
        params.put("fc1_weight", NDArray.zeros(500, 800));
        params.put("fc1_bias", NDArray.zeros(500));
        params.put("fc2_weight", NDArray.zeros(10, 500));
        params.put("fc2_bias", NDArray.zeros(10));
        params.forEach((name, array) -> {
            fill.apply(name, array);
            array.attachGrad();
        });
        return params;
    }

    private static NDArray pooled(NDArray x) {
        return ND.pooling(ND.relu(x), o -> o.kernel(2, 2).stride(2, 2).poolType("max"));
    }

    /** The scores of the ten digits. */
    private static NDArray scores(NDArray x, Map<String, NDArray> p) {
        NDArray first = pooled(ND.convolution(x, p.get("conv1_weight"), p.get("conv1_bias"), Shape.of(5, 5), 20));
        NDArray second = pooled(ND.convolution(first, p.get("conv2_weight"), p.get("conv2_bias"), Shape.of(5, 5), 50));
        NDArray hidden = ND.relu(ND.fullyConnected(second, p.get("fc1_weight"), p.get("fc1_bias"), 500));
        return ND.fullyConnected(hidden, p.get("fc2_weight"), p.get("fc2_bias"), 10);
    }

    /** The part of the images that the network knows. */
    private static double accuracy(Images test, Map<String, NDArray> params) {
        int[] all = new int[test.digits.length];
        Arrays.setAll(all, i -> i);
        double known = 0;
        for (int i = 0; i < all.length; i += 500) {
            int n = Math.min(500, all.length - i);
            try (NDScope scope = NDScope.open()) {
                NDArray guess = scores(test.images(all, i, n), params).argmax(o -> o.axis(1));
                known += guess.eq(test.labels(all, i, n)).sum().item();
            }
        }
        return known / all.length;
    }

    /** One pass over the images; gives the mean loss. */
    private static double epoch(Images train, int[] order, Map<String, NDArray> params, Optimizer sgd) {
        List<NDArray> weights = new ArrayList<>(params.values());
        int steps = order.length / BATCH;
        NDArray sum = NDArray.zeros(1);
        for (int step = 0; step < steps; step++) {
            try (NDScope scope = NDScope.open()) {
                NDArray x = train.images(order, step * BATCH, BATCH);
                NDArray y = train.labels(order, step * BATCH, BATCH);
                NDArray loss = Autograd.record(() -> ND.softmaxCrossEntropy(scores(x, params), y));
                loss.backward();
                sgd.step(weights);
                sum.addi(loss.detach().reshape(1));
            }
            if (step % 100 == 99) System.out.printf("\r%d/%d: loss %.4f", step + 1, steps, sum.item() / ((step + 1) * BATCH));
        }
        System.out.print("\r");
        return sum.item() / (steps * BATCH);
    }

    private static void shuffle(int[] order, java.util.Random random) {
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
    }

    public static void main(String[] args) throws IOException {
        if (args.length < 1) {
            System.err.println("usage: LeNet DATA [EPOCHS [IMAGES]]");
            System.exit(2);
        }
        int epochs = args.length > 1 ? Integer.parseInt(args[1]) : 4;
        int most = args.length > 2 ? Integer.parseInt(args[2]) : 60000;
        Images train = new Images(args[0], "train");
        Images test = new Images(args[0], "t10k");
        int[] order = new int[Math.min(most, train.digits.length)];
        Arrays.setAll(order, i -> i);
        Random.seed(1);
        java.util.Random random = new java.util.Random(1);
        Map<String, NDArray> params = initialize();
        // The learning rate rises for a moment, then falls to zero along a cosine.
        long steps = (long) epochs * (order.length / BATCH);
        LRScheduler schedule = LRSchedulers.cosineScheduler(steps, o -> o.baseLr(0.05).warmupSteps(100));
        Optimizer sgd = Optimizers.sgd(o -> o.momentum(0.9).wd(1e-4).rescaleGrad(1.0 / BATCH).scheduler(schedule));
        System.out.printf("LeNet on %d images, mxr %s%n", order.length, Library.version());
        for (int i = 1; i <= epochs; i++) {
            long start = System.nanoTime();
            shuffle(order, random);
            double loss = epoch(train, order, params, sgd);
            double seconds = (System.nanoTime() - start) / 1e9;
            System.out.printf(
                    "epoch %d/%d: loss %.4f, test %.4f, %.0f s%n", i, epochs, loss, accuracy(test, params), seconds);
        }
        System.out.printf("test accuracy: %.4f%n", accuracy(test, params));
    }
}
