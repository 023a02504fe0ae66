package io.mxr;

import static io.mxr.Testing.check;
import static io.mxr.Testing.elements;
import static io.mxr.Testing.equal;
import static io.mxr.Testing.fails;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Arrays from Java's and back, parts, arithmetic, files. */
public final class ArrayTests {
    private static NDArray matrix() {
        return NDArray.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    }

    public void numbersComeBackAsTheyWent() {
        equal(new float[] {1.5f, -2}, NDArray.of(new float[] {1.5f, -2}).toFloatArray());
        equal(new double[] {0.1}, NDArray.of(new double[] {0.1}).toDoubleArray());
        equal(new int[] {Integer.MIN_VALUE, 7}, NDArray.of(new int[] {Integer.MIN_VALUE, 7}).toIntArray());
        equal(new long[] {Long.MAX_VALUE}, NDArray.of(new long[] {Long.MAX_VALUE}).toLongArray());
        equal(new boolean[] {true, false}, NDArray.of(new boolean[] {true, false}).toBooleanArray());
        equal(new byte[] {-1, 2}, NDArray.of(new byte[] {-1, 2}).toByteArray());
        elements(NDArray.ofBytes(new byte[] {-1}, DType.UINT8, 1), 255);
    }

    public void bitsOfHalfPrecisionAreNumbers() {
        elements(NDArray.ofBits(new short[] {0x3c00, (short) 0xc000}, DType.FLOAT16), 1, -2);
        elements(NDArray.ofBits(new short[] {0x3f80, (short) 0xc000}, DType.BFLOAT16), 1, -2);
        equal(new short[] {0x3f00}, NDArray.of(new float[] {0.5f}).astype(DType.BFLOAT16).toBits());
    }

    public void anEmptyArrayHasNoElements() {
        NDArray empty = NDArray.of(new float[0], 0, 3);
        equal(Shape.of(0, 3), empty.shape());
        equal(0, empty.toFloatArray().length);
        equal(0, empty.asByteBuffer().remaining());
    }

    public void aDirectBufferIsSharedWithoutACopy() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(16).order(ByteOrder.nativeOrder());
        buffer.putFloat(0, 1).putFloat(4, 2).putFloat(8, 3).putFloat(12, 4);
        NDArray array = NDArray.wrap(buffer, DType.FLOAT32, 2, 2);
        elements(array, 1, 2, 3, 4);
        array.muli(10).waitToRead();
        equal(40f, buffer.getFloat(12));
        array.waitToWrite();
        buffer.putFloat(0, 7);
        equal(7f, array.toFloatArray()[0]);
    }

    public void theElementsAreABufferThatOutlivesTheArray() {
        NDArray array = NDArray.of(new float[] {1, 2, 3});
        ByteBuffer buffer = array.asByteBuffer();
        buffer.putFloat(4, 20);
        elements(array, 1, 20, 3);
        array.close();
        System.gc();
        equal(20f, buffer.getFloat(4));
    }

    public void buffersThatDoNotFitAreRefused() throws Exception {
        ByteBuffer buffer = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
        MxrException error = fails(MxrException.Code.INVALID_VALUE, () -> NDArray.wrap(buffer, DType.FLOAT32, 3));
        check(error.getMessage().contains("expected 12 bytes"), error.getMessage());
        fails(MxrException.Code.INVALID_VALUE, () -> NDArray.wrap(ByteBuffer.allocate(4), DType.FLOAT32, 1));
        fails(MxrException.Code.SHAPE, () -> NDArray.of(new float[3], 2, 2));
        fails(MxrException.Code.DTYPE, () -> matrix().toIntArray());
    }

    public void rowsShareMemory() {
        NDArray x = matrix();
        x.at(1).set(0);
        elements(x, 1, 2, 3, 0, 0, 0);
        x.slice(0, 1).set(9);
        elements(x, 9, 9, 9, 0, 0, 0);
        elements(x.reshape(-1).slice(2, 4), 9, 0);
    }

    public void partsAlongSeveralAxes() {
        NDArray x = matrix();
        elements(x.get(Index.all(), Index.at(-1)), 3, 6);
        elements(x.get(Index.at(0), Index.range(0, 2)), 1, 2);
        elements(x.get(Index.range(ND.NONE, ND.NONE, -1), Index.from(2)), 6, 3);
        equal(Shape.of(1, 2), x.get(Index.range(1, 2), Index.range(0, 2)).shape());
        elements(x.get(Index.at(1)), 4, 5, 6);
        elements(x.get(Index.from(1)), 4, 5, 6);
    }

    public void partsAreSet() {
        NDArray x = matrix();
        x.set(NDArray.of(new float[] {7, 8}), Index.all(), Index.at(0));
        elements(x, 7, 2, 3, 8, 5, 6);
        x.set(0, Index.at(0), Index.range(1, 3));
        elements(x, 7, 0, 0, 8, 5, 6);
        x.set(NDArray.of(new double[] {1}), Index.at(1));
        elements(x, 7, 0, 0, 1, 1, 1);
    }

    public void anIndexOutsideIsAnError() throws Exception {
        fails(MxrException.Code.INDEX, () -> matrix().at(2));
        fails(MxrException.Code.INDEX, () -> matrix().get(Index.all(), Index.at(3)));
        fails(MxrException.Code.INDEX, () -> matrix().get(Index.all(), Index.all(), Index.all()));
    }

    public void arithmeticRepeatsAxesOfSizeOne() {
        NDArray x = matrix();
        elements(x.add(NDArray.of(new float[] {10, 20, 30})), 11, 22, 33, 14, 25, 36);
        elements(x.mul(2).sub(1).div(NDArray.of(new float[] {1, 1, 1, 1, 1, 1}, 2, 3)), 1, 3, 5, 7, 9, 11);
        elements(x.rsub(1), 0, -1, -2, -3, -4, -5);
        elements(x.gt(3), 0, 0, 0, 1, 1, 1);
        elements(x.neg().abs().pow(2), 1, 4, 9, 16, 25, 36);
        elements(x.dot(x.t()), 14, 32, 32, 77);
        x.addi(x).subi(2);
        elements(x, 0, 2, 4, 6, 8, 10);
    }

    public void operatorsTakeOptionsAndPlacesForResults() {
        NDArray x = matrix();
        elements(ND.sum(x, o -> o.axis(1).keepdims(true)), 6, 15);
        elements(x.sum(), 21);
        NDArray out = NDArray.zeros(2, 3);
        check(ND.square(x, o -> o.out(out)) == out, "the result is where it should go");
        elements(out, 1, 4, 9, 16, 25, 36);
        elements(ND.concat(x, x).slice(0, 1), 1, 2, 3, 1, 2, 3);
        equal(3, ND.sliceChannel(x, 3).size());
        elements(ND.call("sum", List.of(x), Map.of("axis", List.of(0))).get(0), 5, 7, 9);
    }

    public void contextsAndCopies() {
        try (Scope scope = Context.cpu(1).use()) {
            equal(Context.cpu(1), NDArray.zeros(1).context());
        }
        equal(Context.cpu(), NDArray.zeros(1).context());
        NDArray x = matrix();
        NDArray y = x.copyTo(NDArray.zeros(2, 3));
        x.set(0);
        elements(y, 1, 2, 3, 4, 5, 6);
        check(!x.contentEquals(y), "contents differ");
        check(y.allClose(y.add(1e-7), 1e-5, 0), "close");
    }

    public void arraysAreWrittenAsMatrices() {
        equal("[[1.0, 2.0, 3.0],\n [4.0, 5.0, 6.0]]\n<NDArray 2x3 @cpu(0)>", matrix().toString());
        equal("[0.0, 1.0, 2.0, ..., 97.0, 98.0, 99.0]\n<NDArray 100 @cpu(0)>", NDArray.arange(100).toString());
        equal("[9007199254740993]\n<NDArray 1 @cpu(0)>", NDArray.of(new long[] {(1L << 53) + 1}).toString());
    }

    public void equalSeedsGiveEqualNumbers() {
        Random.seed(7);
        NDArray a = Random.uniform(-1, 1, 4);
        Random.seed(7);
        NDArray b = Random.uniform(-1, 1, 4);
        check(a.contentEquals(b), "equal");
        check(!b.contentEquals(Random.uniform(-1, 1, 4)), "the next numbers are others");
        for (double x : a.toDoubleArray()) check(x >= -1 && x < 1, "within the bounds");
    }

    public void filesOfArraysKeepNamesAndBytes() throws Exception {
        Path path = Files.createTempFile("arrays", ".params");
        Map<String, NDArray> all = new LinkedHashMap<>();
        all.put("arg:w", matrix());
        all.put("aux:m", NDArray.of(new long[] {1}));
        NDList.save(path.toString(), all);
        Map<String, NDArray> read = NDList.load(path.toString());
        equal(List.copyOf(all.keySet()), List.copyOf(read.keySet()));
        all.forEach((name, array) -> check(array.contentEquals(read.get(name)), name));
        NDList.save(path.toString(), List.of(matrix()));
        elements(NDList.loadList(path.toString()).get(0), 1, 2, 3, 4, 5, 6);
        Files.delete(path);
        fails(MxrException.Code.NOT_FOUND, () -> NDList.load(path.toString()));
    }

    public void dlpackSharesMemory() {
        NDArray x = matrix();
        NDArray y = NDArray.fromDLPack(x.toDLPack());
        y.set(3);
        y.waitToRead();
        elements(x, 3, 3, 3, 3, 3, 3);
        x.close();
        elements(y, 3, 3, 3, 3, 3, 3);
    }
}
