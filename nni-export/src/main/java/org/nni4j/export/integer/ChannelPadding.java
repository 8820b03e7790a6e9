package org.nni4j.export.integer;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxGraph;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.graph.Node;

/**
 * Channels of zeros behind the input channels of a convolution, so that there is a multiple of four
 * of them. They change no sum: the weight is 0 there, and so is the input.
 */
final class ChannelPadding {

    /*
     * ONNX Runtime has two integer convolutions. One copies each patch into a matrix, multiplies,
     * and scales the sums in another pass. The other reads the input in place and scales each sum
     * where it is made; it takes unsigned inputs, signed weights with zero points of 0, and channels
     * that fill its registers: input channels in fours, at least 16 output channels, in fours too
     * (MlasConvSymPackWSize in onnxruntime/core/mlas/lib/convsym.cpp, as of 1.29). The three channels
     * of a picture miss it by one, and the first layer of a small network is then its slowest.
     */
    private static final int IN_FOURS = 4;
    private static final int LEAST_OUTPUTS = 16;

    private ChannelPadding() {}

    /**
     * How many channels to add.
     *
     * @param node the operator
     * @param input how it sees its data input
     * @param weight how its weight is quantized
     * @param results how its result is seen
     * @return 0 where nothing is won
     */
    static int missing(
            Node node,
            TensorCodes input,
            TensorCalibration weight,
            Set<Optional<TensorCodes>> results) {
        long[] dims = node.input("weight").orElseThrow().shape().getShape();
        boolean whole = node.attributes().get("groups") instanceof Number n && n.intValue() == 1;
        boolean wide = dims[0] >= LEAST_OUTPUTS && dims[0] % IN_FOURS == 0;
        boolean integers =
                isByte(input)
                        && isSymmetricByte(weight)
                        && results.size() == 1
                        && results.iterator().next().filter(ChannelPadding::isByte).isPresent();
        return node.op().equals("Conv") && whole && wide && integers
                ? Math.floorMod((int) -dims[1], IN_FOURS)
                : 0;
    }

    private static boolean isByte(TensorCodes codes) {
        return codes.isPerTensor() && !codes.sign() && codes.carrier() == OnnxType.UINT8;
    }

    private static boolean isSymmetricByte(TensorCalibration weight) {
        for (int zero : weight.parameters().zeroPoint()) {
            if (zero != 0) {
                return false;
            }
        }
        return weight.type().qmin() < 0 && weight.type().bits() <= 8;
    }

    /**
     * Writes the channels.
     *
     * @param onnx to add nodes to
     * @param name of the result
     * @param integers shape {@code (batch, channels, …)}
     * @param zero the integer of 0
     * @param axes of the integers
     * @param more how many channels
     * @return the name of the result
     */
    static String write(
            OnnxGraph onnx, String name, String integers, String zero, int axes, int more) {
        long[] pads = new long[2 * axes];
        pads[axes + 1] = more;
        return onnx.node(
                "Pad",
                name,
                List.of(integers, onnx.longs(pads), zero),
                Attribute.of("mode", "constant"));
    }

    /**
     * Puts zeros behind the input channels of a weight.
     *
     * @param weight shape {@code dims}, row by row
     * @param dims output channels, input channels, kernel
     * @param more how many channels
     * @return shape {@link #dims}
     */
    static int[] weight(int[] weight, long[] dims, int more) {
        int outputs = (int) dims[0];
        int before = weight.length / outputs;
        int after = before / (int) dims[1] * (int) (dims[1] + more);
        int[] padded = new int[outputs * after];
        for (int o = 0; o < outputs; o++) {
            System.arraycopy(weight, o * before, padded, o * after, before);
        }
        return padded;
    }

    /** The sizes of a padded weight. */
    static long[] dims(long[] dims, int more) {
        long[] padded = dims.clone();
        padded[1] += more;
        return padded;
    }
}
