package org.nni4j.export.verification;

import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
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

    /** One layer on all samples; a linear layer is a convolution without spatial axes. */
    private static final class Layer {

        private final int[] weight;
        private final int[] x;
        private final int samples;
        private final int channels;
        private final int added;
        private final int[] size;
        private final int outputs;
        private final int[] kernel;
        private final int[] stride;
        private final int[] padding;
        private final int[] dilation;
        private final int[] out;
        private final int elements;
        private final int groups;
        private final int zero;

        Layer(IntegerProduct product, Reference.Tensor input) {
            Node node = product.node();
            int[] shape = ints(input.shape());
            int[] dims = ints(node.input("weight").orElseThrow().shape().getShape());
            boolean conv = node.op().equals("Conv");
            weight = product.weight();
            added = product.addedChannels();
            // Signed bytes are moved up to unsigned ones.
            int up = product.input().qmin() < 0 ? 128 : 0;
            x = codes(input.elements(), product.input(), up);
            zero = product.input().zeroPoint() + up;
            channels = shape[conv ? 1 : shape.length - 1];
            size = conv ? Arrays.copyOfRange(shape, 2, shape.length) : new int[0];
            samples = x.length / (channels * volume(size));
            outputs = dims[0];
            kernel = Arrays.copyOfRange(dims, 2, dims.length);
            elements = volume(kernel);
            stride = axes(node, "stride", 1);
            padding = axes(node, "padding", 0);
            dilation = axes(node, "dilation", 1);
            groups = conv && node.attributes().get("groups") instanceof Number n ? n.intValue() : 1;
            out = new int[size.length];
            for (int a = 0; a < out.length; a++) {
                int reach = dilation[a] * (kernel[a] - 1) + 1;
                out[a] = (size[a] + 2 * padding[a] - reach) / stride[a] + 1;
            }
        }

        private static int[] codes(float[] values, TensorCodes codes, int up) {
            int[] integers = new int[values.length];
            float scale = codes.scale();
            for (int i = 0; i < integers.length; i++) {
                integers[i] = (int) Math.rint(values[i] / scale) + codes.zeroPoint() + up;
            }
            return integers;
        }

        private int[] axes(Node node, String name, int absent) {
            int[] axes = new int[size.length];
            int[] given = numbers(node.attributes().get(name));
            for (int a = 0; a < axes.length; a++) {
                axes[a] = a < given.length ? given[a] : absent;
            }
            return axes;
        }

        private static int[] numbers(@Nullable Object attribute) {
            if (attribute instanceof Shape shape) {
                return ints(shape.getShape());
            }
            if (attribute instanceof List<?> list) {
                return list.stream()
                        .filter(Number.class::isInstance)
                        .mapToInt(n -> ((Number) n).intValue())
                        .toArray();
            }
            return new int[0];
        }

        private static int[] ints(long[] sizes) {
            return Arrays.stream(sizes).mapToInt(Math::toIntExact).toArray();
        }

        private static int volume(int[] sizes) {
            return Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
        }

        Saturation count() {
            int perGroup = channels / groups + added;
            int length = perGroup * elements;
            int perSample = volume(out);
            long places = (long) samples * perSample;
            long perPlace = Math.max(1, (long) outputs * (length / 2));
            long skip = Math.max(1, places * perPlace / MOST_SUMS_PER_LAYER);
            int[] window = new int[length];
            long sums = 0;
            long saturated = 0;
            for (long place = 0; place < places; place += skip) {
                int[] corner = coordinates((int) (place % perSample), out);
                for (int g = 0; g < groups; g++) {
                    gather(window, (int) (place / perSample), corner, g);
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

        /** Where an index is, along each axis. */
        private static int[] coordinates(int index, int[] sizes) {
            int[] at = new int[sizes.length];
            int left = index;
            for (int a = sizes.length - 1; a >= 0; a--) {
                at[a] = left % sizes[a];
                left /= sizes[a];
            }
            return at;
        }

        private void gather(int[] window, int n, int[] place, int group) {
            int perGroup = channels / groups;
            int volume = volume(size);
            int k = 0;
            for (int i = 0; i < elements; i++) {
                int offset = offset(place, coordinates(i, kernel));
                for (int ch = 0; ch < perGroup; ch++) {
                    int plane = n * channels + group * perGroup + ch;
                    window[k++] = offset >= 0 ? x[plane * volume + offset] : zero;
                }
                for (int ch = 0; ch < added; ch++) {
                    window[k++] = zero;
                }
            }
        }

        /** Where in a plane the kernel's element is; negative for in the padding. */
        private int offset(int[] place, int[] element) {
            int offset = 0;
            for (int a = 0; a < size.length; a++) {
                int at = place[a] * stride[a] - padding[a] + element[a] * dilation[a];
                if (at < 0 || at >= size[a]) {
                    return -1;
                }
                offset = offset * size[a] + at;
            }
            return offset;
        }

        /** The weight lies output, channel, kernel; k runs through the kernel, then channels. */
        private int weightAt(int output, int k, int perGroup) {
            return weight[(output * perGroup + k % perGroup) * elements + k / perGroup];
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
