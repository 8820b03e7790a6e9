package org.nni4j.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Both implementations give the same values and gradients. */
class KernelAgreementTest {

    private static final int SEEDS = 40;

    private final QuantizationKernels reference = new NdArrayKernels();
    private final QuantizationKernels fused = new FusedKernels();

    /** A random tensor in a random layout, and random settings. */
    private static final class Sample {
        final Random random;
        final String where;
        final Shape shape;
        final int axis;
        final int[] order;
        final boolean sliced;
        final DataType dataType;
        final QuantizedType type;
        final QuantizationScheme scheme;
        final int channels;
        final float[] data;

        Sample(int seed) {
            random = new Random(seed);
            int rank = random.nextInt(5);
            long[] dimensions = random.longs(rank, 1, 6).toArray();
            if (rank > 0 && random.nextInt(20) == 0) {
                dimensions[random.nextInt(rank)] = 0;
            }
            shape = new Shape(dimensions);
            List<Integer> axes = new ArrayList<>();
            for (int i = 0; i < rank; i++) {
                axes.add(i);
            }
            java.util.Collections.shuffle(axes, random);
            order = axes.stream().mapToInt(Integer::intValue).toArray();
            sliced = rank > 0 && random.nextBoolean();
            dataType = random.nextInt(3) == 0 ? DataType.FLOAT16 : DataType.FLOAT32;
            QuantizationDtype dtype =
                    random.nextBoolean() ? QuantizationDtype.UINT : QuantizationDtype.INT;
            type =
                    new QuantizedType(
                            2 + random.nextInt(dataType == DataType.FLOAT16 ? 7 : 15), dtype);
            boolean perChannel = rank > 0 && random.nextBoolean();
            axis = perChannel ? random.nextInt(rank) : -1;
            scheme =
                    perChannel
                            ? (random.nextBoolean()
                                    ? QuantizationScheme.PER_CHANNEL_AFFINE
                                    : QuantizationScheme.PER_CHANNEL_SYMMETRIC)
                            : (random.nextBoolean()
                                    ? QuantizationScheme.PER_TENSOR_AFFINE
                                    : QuantizationScheme.PER_TENSOR_SYMMETRIC);
            channels = perChannel ? (int) shape.get(axis) : 1;
            data =
                    new float
                            [(int) Arrays.stream(dimensions).reduce(1, (a, b) -> a * b)
                                    * (sliced ? 2 : 1)];
            float offset = (float) random.nextGaussian();
            for (int i = 0; i < data.length; i++) {
                data[i] = (float) random.nextGaussian() * 2 + offset;
            }
            where =
                    "seed "
                            + seed
                            + ": "
                            + shape
                            + " order "
                            + Arrays.toString(order)
                            + " axis "
                            + axis
                            + " "
                            + dataType
                            + " "
                            + type
                            + " "
                            + scheme;
        }

        /** The base array: transposing it by order, and slicing, gives the shape. */
        NDArray base(NDManager manager) {
            long[] dimensions = new long[order.length];
            for (int i = 0; i < order.length; i++) {
                dimensions[order[i]] = shape.get(i);
            }
            // order[i] is the base axis of axis i
            if (sliced) {
                dimensions[order[0]] *= 2;
            }
            return manager.create(data, new Shape(dimensions)).toType(dataType, false);
        }

        NDArray view(NDArray base) {
            NDArray x = order.length == 0 ? base : base.transpose(order);
            return sliced ? x.get(":" + shape.get(0)) : x;
        }

        float[] positives(double mean) {
            float[] values = new float[channels];
            for (int i = 0; i < channels; i++) {
                values[i] = (float) (mean * Math.exp(random.nextGaussian() * 0.5));
            }
            return values;
        }
    }

    private interface Kernel {
        NDArray apply(QuantizationKernels kernels, NDArray x, NDArray[] learned);
    }

    /** Value, gradient of the base, gradients of what is learned. */
    private record Outcome(
            float[] value, float[] gradient, List<float[]> learned, DataType type, Shape shape) {}

    private static Outcome run(
            Sample sample, QuantizationKernels kernels, Kernel kernel, float[]... learned) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray base = sample.base(manager);
            base.setRequiresGradient(true);
            NDArray[] parameters = new NDArray[learned.length];
            for (int i = 0; i < learned.length; i++) {
                parameters[i] = manager.create(learned[i]);
                parameters[i].setRequiresGradient(true);
            }
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray y = kernel.apply(kernels, sample.view(base), parameters);
                NDArray weights =
                        manager.arange(1f, y.size() + 1f).div(y.size() + 1f).reshape(y.getShape());
                // Promotes float16; toType would stop the gradient.
                collector.backward(y.mul(weights).sum());
                List<float[]> gradients =
                        Arrays.stream(parameters).map(p -> floats(p.getGradient())).toList();
                return new Outcome(
                        floats(y),
                        floats(base.getGradient()),
                        gradients,
                        y.getDataType(),
                        y.getShape());
            }
        }
    }

    private static float[] floats(NDArray x) {
        return x.toType(DataType.FLOAT32, false).flatten().toFloatArray();
    }

    private void agree(Sample sample, Kernel kernel, float[]... learned) {
        Outcome a = run(sample, reference, kernel, learned);
        Outcome b = run(sample, fused, kernel, learned);
        assertThat(b.type).as(sample.where).isEqualTo(a.type).isEqualTo(sample.dataType);
        assertThat(b.shape).as(sample.where).isEqualTo(a.shape).isEqualTo(sample.shape);
        assertThat(b.value).as(sample.where).containsExactly(a.value, within(0f));
        assertThat(b.gradient)
                .as("%s: gradient", sample.where)
                // float16 has 11 bits, and tanh's gradient rounds
                .containsExactly(a.gradient, within(1e-3f));
        for (int i = 0; i < learned.length; i++) {
            for (int c = 0; c < a.learned.get(i).length; c++) {
                float expected = a.learned.get(i)[c];
                assertThat(b.learned.get(i)[c])
                        .as("%s: learned %s", sample.where, i)
                        // the same numbers, summed in another order
                        .isCloseTo(expected, within(1e-3f + 1e-4f * Math.abs(expected)));
            }
        }
    }

    @Test
    void rangeTrackParameters_anyTensor_areEqual() {
        for (int seed = 0; seed < SEEDS; seed++) {
            Sample s = new Sample(seed);
            try (NDManager manager = NDManager.newBaseManager()) {
                NDArray x = s.view(s.base(manager));
                NDList ra = reference.range(x, s.axis);
                same(s, ra, fused.range(x, s.axis));
                NDArray min = manager.create(s.positives(1)).neg();
                NDArray max = manager.create(s.positives(1));
                for (double decay : new double[] {0, 0.9, 0.99}) {
                    same(
                            s,
                            reference.track(x, min, max, decay, s.axis),
                            fused.track(x, min, max, decay, s.axis));
                }
                NDList pa = reference.parameters(ra.get(0), ra.get(1), s.type, s.scheme);
                same(s, pa, fused.parameters(ra.get(0), ra.get(1), s.type, s.scheme));
                for (int c = 0; c < s.channels; c++) {
                    QuantizationParameters p =
                            AffineQuantization.parametersFor(
                                    ra.get(0).toFloatArray()[c],
                                    ra.get(1).toFloatArray()[c],
                                    s.type,
                                    s.scheme);
                    assertThat(pa.get(0).toFloatArray()[c]).as(s.where).isEqualTo(p.scale()[0]);
                    assertThat(pa.get(1).toIntArray()[c]).as(s.where).isEqualTo(p.zeroPoint()[0]);
                }
                same(
                        s,
                        new NDList(
                                reference.quantizeDequantize(
                                        x,
                                        pa.get(0),
                                        pa.get(1),
                                        s.type.qmin(),
                                        s.type.qmax(),
                                        s.axis)),
                        new NDList(
                                fused.quantizeDequantize(
                                        x,
                                        pa.get(0),
                                        pa.get(1),
                                        s.type.qmin(),
                                        s.type.qmax(),
                                        s.axis)));
            }
        }
    }

    private static void same(Sample s, NDList a, NDList b) {
        for (int i = 0; i < a.size(); i++) {
            assertThat(b.get(i).getDataType()).as(s.where).isEqualTo(a.get(i).getDataType());
            assertThat(b.get(i).getShape()).as(s.where).isEqualTo(a.get(i).getShape());
            float[] x = floats(a.get(i));
            float[] y = floats(b.get(i));
            for (int j = 0; j < x.length; j++) {
                assertThat(y[j] == x[j] || (Float.isNaN(x[j]) && Float.isNaN(y[j])))
                        .as(s.where + " " + i + " " + x[j] + " " + y[j])
                        .isTrue();
            }
        }
    }

    @Test
    void fakeQuantize_anyTensor_agrees() {
        for (int seed = 0; seed < SEEDS; seed++) {
            Sample s = new Sample(seed);
            int qmin = s.type.qmin();
            int qmax = s.type.qmax();
            float[] scale = s.positives(4.0 / (qmax - qmin));
            int[] zp = s.random.ints(s.channels, qmin, qmax + 1).toArray();
            agree(
                    s,
                    (k, x, l) -> {
                        NDManager m = x.getManager();
                        return k.fakeQuantize(x, m.create(scale), m.create(zp), qmin, qmax, s.axis);
                    });
        }
    }

    @Test
    void observe_anyTensor_agrees() {
        for (int seed = 0; seed < SEEDS; seed++) {
            Sample s = new Sample(seed);
            agree(s, (k, x, l) -> k.observe(x, s.type, s.scheme, s.axis).value());
            agree(s, (k, x, l) -> k.quantizeByOwnRange(x, s.type, s.scheme, s.axis));
            float[] low = s.positives(-1);
            float[] high = s.positives(1);
            agree(
                    s,
                    (k, x, l) -> {
                        NDArray min = x.getManager().create(low);
                        NDArray max = x.getManager().create(high);
                        return k.observe(x, min, max, 0.9, s.type, s.scheme, s.axis).value();
                    });
        }
    }

    @Test
    void learnedStep_anyTensor_agrees() {
        for (int seed = 0; seed < SEEDS; seed++) {
            Sample s = new Sample(seed);
            int qmin = s.type.qmin();
            int qmax = s.type.qmax();
            float[] step = s.positives(4.0 / (qmax - qmin));
            agree(s, (k, x, l) -> k.learnedStep(x, l[0], qmin, qmax, s.axis, 0.5), step);
            float[] zp = new float[s.channels];
            for (int c = 0; c < zp.length; c++) {
                zp[c] = qmin + (qmax - qmin) * s.random.nextFloat();
            }
            agree(
                    s,
                    (k, x, l) -> k.learnedStepAndOffset(x, l[0], l[1], qmin, qmax, s.axis, 0.5),
                    step,
                    zp);
        }
    }

    @Test
    void lowBitKernels_anyTensor_agree() {
        for (int seed = 0; seed < SEEDS; seed++) {
            Sample s = new Sample(seed);
            int bits = 1 + s.random.nextInt(8);
            agree(s, (k, x, l) -> k.binarize(x, true));
            agree(s, (k, x, l) -> k.binarize(x, false));
            agree(s, (k, x, l) -> k.tanhQuantize(x, bits, true));
            agree(s, (k, x, l) -> k.tanhQuantize(x, bits, false));
            agree(s, (k, x, l) -> k.scaledSign(x));
            agree(s, (k, x, l) -> k.unitQuantize(x, bits));
            agree(s, (k, x, l) -> k.clippedQuantize(x, l[0], bits), new float[] {1.3f});
        }
    }
}
