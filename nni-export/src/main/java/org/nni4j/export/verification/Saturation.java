package org.nni4j.export.verification;

import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.nni4j.export.integer.IntegerProduct;
import org.nni4j.export.integer.TensorCodes;
import org.nni4j.graph.Node;

/**
 * What a processor without VNNI would do to the model: its instruction multiplies unsigned by
 * signed bytes and adds each two neighbouring products in 16 bits, which saturate beyond
 * −32768..32767.
 *
 * <p>Neighbours are taken as in a channels-last layout: for each place of the kernel the input
 * channels in order. Of large layers, evenly spread output places are looked at.
 *
 * @param sums how many sums of two products were looked at
 * @param saturated how many of them would saturate
 */
public record Saturation(long sums, long saturated) {

    private static final long MOST_SUMS_PER_LAYER = 3_000_000;

    static Saturation of(List<IntegerProduct> products, Reference reference) {
        Saturation total = new Saturation(0, 0);
        for (IntegerProduct product : products) {
            Reference.Tensor input = reference.tensors().get(product.site());
            if (input != null && product.input().carrier().bits() == 8) {
                Saturation one = new Layer(product, input).count();
                total = new Saturation(total.sums + one.sums, total.saturated + one.saturated);
            }
        }
        return total;
    }

    /** One layer on all samples. */
    private static final class Layer {

        private final int[] weight;
        private final int[] x;
        private final int samples;
        private final int channels;
        private final int height;
        private final int width;
        private final int outputs;
        private final int[] kernel;
        private final int[] stride;
        private final int[] padding;
        private final int[] dilation;
        private final int groups;
        private final int zero;

        Layer(IntegerProduct product, Reference.Tensor input) {
            Node node = product.node();
            long[] shape = input.shape();
            boolean conv = node.op().equals("Conv");
            weight = product.weight();
            // Signed bytes are moved up to unsigned ones.
            int up = product.input().qmin() < 0 ? 128 : 0;
            x = codes(input.elements(), product.input(), up);
            zero = product.input().zeroPoint() + up;
            samples = (int) shape[0];
            channels = (int) shape[1];
            height = shape.length > 2 ? (int) shape[2] : 1;
            width = shape.length > 3 ? (int) shape[3] : 1;
            long[] dims = node.input("weight").orElseThrow().shape().getShape();
            outputs = (int) dims[0];
            kernel =
                    new int[] {
                        dims.length > 2 ? (int) dims[2] : 1, dims.length > 3 ? (int) dims[3] : 1
                    };
            stride = pair(node, "stride", conv, 1);
            padding = pair(node, "padding", conv, 0);
            dilation = pair(node, "dilation", conv, 1);
            groups = conv && node.attributes().get("groups") instanceof Number n ? n.intValue() : 1;
        }

        private static int[] codes(float[] values, TensorCodes codes, int up) {
            int[] integers = new int[values.length];
            float scale = codes.scale();
            for (int i = 0; i < integers.length; i++) {
                integers[i] = (int) Math.rint(values[i] / scale) + codes.zeroPoint() + up;
            }
            return integers;
        }

        private static int[] pair(Node node, String name, boolean conv, int absent) {
            int[] pair = {absent, absent};
            if (conv) {
                long[] given = longs(node.attributes().get(name));
                for (int i = 0; i < Math.min(2, given.length); i++) {
                    pair[i] = (int) given[i];
                }
            }
            return pair;
        }

        private static long[] longs(@Nullable Object attribute) {
            if (attribute instanceof Shape shape) {
                return shape.getShape();
            }
            if (attribute instanceof List<?> list) {
                return list.stream()
                        .filter(Number.class::isInstance)
                        .mapToLong(n -> ((Number) n).longValue())
                        .toArray();
            }
            return new long[0];
        }

        Saturation count() {
            int outHeight = out(height, 0);
            int outWidth = out(width, 1);
            int perGroup = channels / groups;
            int length = perGroup * kernel[0] * kernel[1];
            long places = (long) samples * outHeight * outWidth;
            long perPlace = Math.max(1, (long) outputs * (length / 2));
            long skip = Math.max(1, places * perPlace / MOST_SUMS_PER_LAYER);
            int[] window = new int[length];
            long sums = 0;
            long saturated = 0;
            for (long place = 0; place < places; place += skip) {
                int n = (int) (place / ((long) outHeight * outWidth));
                int row = (int) (place / outWidth % outHeight);
                int column = (int) (place % outWidth);
                for (int g = 0; g < groups; g++) {
                    gather(
                            window,
                            n,
                            row * stride[0] - padding[0],
                            column * stride[1] - padding[1],
                            g);
                    for (int o = g * (outputs / groups); o < (g + 1) * (outputs / groups); o++) {
                        for (int k = 0; k + 1 < length; k += 2) {
                            int sum =
                                    window[k] * weightAt(o, k, perGroup)
                                            + window[k + 1] * weightAt(o, k + 1, perGroup);
                            saturated += sum > Short.MAX_VALUE || sum < Short.MIN_VALUE ? 1 : 0;
                            sums++;
                        }
                    }
                }
            }
            return new Saturation(sums, saturated);
        }

        private int out(int size, int axis) {
            int reach = dilation[axis] * (kernel[axis] - 1) + 1;
            return (size + 2 * padding[axis] - reach) / stride[axis] + 1;
        }

        private void gather(int[] window, int n, int top, int left, int group) {
            int perGroup = channels / groups;
            int k = 0;
            for (int i = 0; i < kernel[0]; i++) {
                for (int j = 0; j < kernel[1]; j++) {
                    int r = top + i * dilation[0];
                    int c = left + j * dilation[1];
                    boolean inside = r >= 0 && r < height && c >= 0 && c < width;
                    for (int ch = 0; ch < perGroup; ch++) {
                        int plane = n * channels + group * perGroup + ch;
                        window[k++] = inside ? x[(plane * height + r) * width + c] : zero;
                    }
                }
            }
        }

        /** The weight lies output, channel, row, column; k runs row, column, channel. */
        private int weightAt(int output, int k, int perGroup) {
            int places = kernel[0] * kernel[1];
            return weight[(output * perGroup + k % perGroup) * places + k / perGroup];
        }
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d of %,d sums of two products (%.4f %%) would saturate",
                saturated,
                sums,
                sums == 0 ? 0 : 100.0 * saturated / sums);
    }
}
