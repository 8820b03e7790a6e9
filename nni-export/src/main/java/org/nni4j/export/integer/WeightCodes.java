package org.nni4j.export.integer;

import org.jspecify.annotations.Nullable;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationParameters;

/**
 * A weight as integers: {@code w = (codes − zeroPoint) · scale}.
 *
 * @param codes row by row
 * @param scale one for each output channel, or a single one
 * @param zeroPoint as many
 * @param axis of the output channels, or {@link QuantizationParameters#PER_TENSOR}
 * @param perChannel how many elements follow each other with one channel index
 * @param bits the width of the codes
 */
record WeightCodes(
        int[] codes, float[] scale, int[] zeroPoint, int axis, int perChannel, int bits) {

    /** 255 · 64 · 2 is 32640, just within 16 bits. */
    private static final int SEVEN_BITS = 64;

    /**
     * Reads the integers out of a fake-quantized weight.
     *
     * @param weight fake-quantized, row by row
     * @param dims its sizes
     */
    static WeightCodes of(float[] weight, long[] dims, TensorCalibration calibration) {
        QuantizationParameters parameters = calibration.parameters();
        int[] zero = parameters.zeroPoint();
        int perChannel = 1;
        for (int i = parameters.axis() + 1; i < dims.length; i++) {
            perChannel *= (int) dims[i];
        }
        WeightCodes codes =
                new WeightCodes(
                        new int[weight.length],
                        parameters.scale(),
                        zero,
                        parameters.axis(),
                        perChannel,
                        calibration.type().bits());
        for (int i = 0; i < weight.length; i++) {
            int c = codes.channel(i);
            // The weight lies on the grid, so this is exact.
            codes.codes[i] = (int) Math.rint(weight[i] / codes.scale[c]) + zero[c];
        }
        return codes.centred();
    }

    private int channel(int i) {
        return axis == QuantizationParameters.PER_TENSOR ? 0 : (i / perChannel) % scale.length;
    }

    /**
     * With zero points of 0, where the integers then still fit eight bits: what runtimes like best.
     */
    private WeightCodes centred() {
        int[] moved = new int[codes.length];
        for (int i = 0; i < codes.length; i++) {
            moved[i] = codes[i] - zeroPoint[channel(i)];
            if (moved[i] < Byte.MIN_VALUE || moved[i] > Byte.MAX_VALUE) {
                return this;
            }
        }
        return new WeightCodes(moved, scale, new int[scale.length], axis, perChannel, bits);
    }

    /**
     * The same weight in more and finer steps: integers times a power of two, the scale divided by
     * it. Both are exact. The bias, an integer of the scale of the products, gets finer too, which
     * matters where a weight has few levels. No integer grows beyond 64, so that no processor's
     * sums saturate.
     */
    WeightCodes finer() {
        int most = 0;
        for (int q : codes) {
            most = Math.max(most, Math.abs(q));
        }
        if (!isSigned() || most == 0 || most > 32) {
            return this;
        }
        int factor = Integer.highestOneBit(64 / most);
        int[] multiplied = codes.clone();
        for (int i = 0; i < multiplied.length; i++) {
            multiplied[i] *= factor;
        }
        float[] divided = scale.clone();
        for (int c = 0; c < divided.length; c++) {
            divided[c] /= factor;
        }
        return new WeightCodes(multiplied, divided, zeroPoint, axis, perChannel, bits);
    }

    /**
     * Multiplies each output channel, by its scale alone: the integers stay, or change their sign.
     * Where the type has no negative of an integer, the channel's integers are one less, and so is
     * its zero point.
     *
     * @param factors one for each output channel
     * @param channelAxis the axis of the output channels
     * @param dims sizes of the weight
     */
    WeightCodes times(float[] factors, int channelAxis, long[] dims) {
        int behind = 1;
        for (int i = channelAxis + 1; i < dims.length; i++) {
            behind *= (int) dims[i];
        }
        WeightCodes product =
                new WeightCodes(
                        codes.clone(),
                        new float[factors.length],
                        new int[factors.length],
                        channelAxis,
                        behind,
                        bits);
        boolean isSigned = isSigned();
        for (int c = 0; c < factors.length; c++) {
            int own = axis == QuantizationParameters.PER_TENSOR ? 0 : c;
            product.scale[c] =
                    Math.max(scale[own] * Math.abs(factors[c]), AffineQuantization.EPSILON);
            product.zeroPoint[c] =
                    factors[c] < 0 ? mirrored(zeroPoint[own], isSigned) : zeroPoint[own];
        }
        boolean[] full = new boolean[factors.length];
        for (int i = 0; i < codes.length; i++) {
            full[product.channel(i)] |= isSigned && codes[i] == leastOfCarrier();
        }
        for (int c = 0; c < factors.length; c++) {
            if (factors[c] < 0 && full[c]) {
                product.zeroPoint[c] = -1;
            }
        }
        for (int i = 0; i < codes.length; i++) {
            int c = product.channel(i);
            if (factors[c] == 0) {
                product.codes[i] = product.zeroPoint[c];
            } else if (factors[c] < 0) {
                product.codes[i] = full[c] ? ~codes[i] : mirrored(codes[i], isSigned);
            }
        }
        return product;
    }

    /** A signed type reaches one further down than up. */
    private int leastOfCarrier() {
        return bits <= 8 ? Byte.MIN_VALUE : Short.MIN_VALUE;
    }

    /** Negation: of a signed code around 0, of an unsigned one around the middle of its range. */
    private int mirrored(int code, boolean isSigned) {
        return isSigned ? -code : ((1 << bits) - 1) - code;
    }

    private boolean isSigned() {
        int most = bits <= 8 ? Byte.MAX_VALUE : (1 << (bits - 1)) - 1;
        for (int z : zeroPoint) {
            if (z != 0) {
                return false;
            }
        }
        for (int q : codes) {
            if (q > most) {
                return false;
            }
        }
        return true;
    }

    /**
     * Seven bits for eight: half the integers, twice the scale. None is then beyond 64, so that the
     * sum of two products with unsigned bytes stays within 16 bits. An unsigned weight's integers
     * move down to signed ones, and its zero points with them.
     */
    WeightCodes reduced() {
        int most = 0;
        for (int q : codes) {
            most = Math.max(most, Math.abs(q));
        }
        if (bits > 8 || most <= SEVEN_BITS) {
            return this;
        }
        int down = type(false) == OnnxType.UINT8 ? SEVEN_BITS : 0;
        int[] zero = new int[zeroPoint.length];
        float[] twice = new float[scale.length];
        for (int c = 0; c < zero.length; c++) {
            zero[c] = (int) Math.rint(zeroPoint[c] / 2.0) - down;
            twice[c] = scale[c] * 2;
        }
        int[] half = new int[codes.length];
        for (int i = 0; i < half.length; i++) {
            int c = channel(i);
            half[i] = (int) Math.rint((codes[i] - zeroPoint[c]) / 2.0) + zero[c];
        }
        return new WeightCodes(half, twice, zero, axis, perChannel, 7);
    }

    /**
     * The same weight, with the largest channel's scale for channels of zeros. Their own is next to
     * nothing, and their bias, an integer of it, would be beyond 32 bits.
     */
    WeightCodes deadChannelsLikeOthers() {
        boolean[] live = new boolean[scale.length];
        for (int i = 0; i < codes.length; i++) {
            int c = channel(i);
            live[c] |= codes[i] != zeroPoint[c];
        }
        float largest = 0;
        for (float s : scale) {
            largest = Math.max(largest, s);
        }
        float[] scales = scale.clone();
        for (int c = 0; c < scales.length; c++) {
            if (!live[c]) {
                scales[c] = largest;
            }
        }
        return new WeightCodes(codes, scales, zeroPoint, axis, perChannel, bits);
    }

    /** The other layout of a matrix. */
    WeightCodes transposed(int rows) {
        int columns = codes.length / rows;
        int[] turned = new int[codes.length];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                turned[c * rows + r] = codes[r * columns + c];
            }
        }
        boolean whole = axis == QuantizationParameters.PER_TENSOR;
        return new WeightCodes(
                turned,
                scale,
                zeroPoint,
                whole ? axis : 1 - axis,
                whole || axis == 1 ? rows : 1,
                bits);
    }

    /** The narrowest type that holds them: four bits only if the model may have them. */
    OnnxType type(boolean fourBit) {
        int least = 0;
        int most = 0;
        for (int q : codes) {
            least = Math.min(least, q);
            most = Math.max(most, q);
        }
        for (int z : zeroPoint) {
            least = Math.min(least, z);
            most = Math.max(most, z);
        }
        if (fourBit && bits <= 4 && least >= -8 && most <= 7) {
            return OnnxType.INT4;
        }
        if (least < Byte.MIN_VALUE || most > (least < 0 ? Byte.MAX_VALUE : 0xFF)) {
            return most > Short.MAX_VALUE ? OnnxType.UINT16 : OnnxType.INT16;
        }
        return most > Byte.MAX_VALUE ? OnnxType.UINT8 : OnnxType.INT8;
    }

    /** Whether ONNX Runtime's integer kernels take them: their zero points are all the same. */
    @Nullable String obstacle() {
        for (int z : zeroPoint) {
            if (z != zeroPoint[0]) {
                return "its weight has a zero point for each channel, which the runtime's integer"
                        + " kernels do not take; ask for a symmetric scheme";
            }
        }
        return type(false).bits() > 8
                ? "its weight has more than 8 bits, or twice as many levels as 8 bits hold"
                : null;
    }

    TensorData data(OnnxType type, long... dims) {
        return integers(codes, type, dims);
    }

    static TensorData integers(int[] codes, OnnxType type, long... dims) {
        if (type == OnnxType.INT16 || type == OnnxType.UINT16) {
            java.nio.ByteBuffer buffer =
                    java.nio.ByteBuffer.allocate(codes.length * 2)
                            .order(java.nio.ByteOrder.nativeOrder());
            for (int q : codes) {
                buffer.putShort((short) q);
            }
            return TensorData.raw(type, buffer.flip(), dims);
        }
        byte[] bytes = new byte[codes.length];
        for (int i = 0; i < codes.length; i++) {
            bytes[i] = (byte) codes[i];
        }
        return TensorData.bytes(type, bytes, dims);
    }
}
