package org.nni4j.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BinaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FusedKernelsTest {

    private static final QuantizedType UINT8 = new QuantizedType(8, QuantizationDtype.UINT);
    private static final QuantizationScheme AFFINE = QuantizationScheme.PER_TENSOR_AFFINE;

    private final NDManager manager = NDManager.newBaseManager();
    private final NDManager lasting = manager.newSubManager();
    private final NDManager step = manager.newSubManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void create_names_pickImplementations() {
        assertThat(QuantizationKernels.create("auto", manager).name()).isEqualTo("fused");
        assertThat(QuantizationKernels.create("fused", manager).name()).isEqualTo("fused");
        assertThat(QuantizationKernels.create("ndarray", manager).name()).isEqualTo("ndarray");
        assertThatThrownBy(() -> QuantizationKernels.create("quick", manager))
                .hasMessage("unknown kernels \"quick\"; available: [auto, ndarray, fused]");
    }

    /** Calls every kernel, and returns all results. */
    private static NDList everyKernel(
            QuantizationKernels k, NDArray x, NDArray s, NDArray z, NDArray f, int axis) {
        NDList all = k.range(x, axis);
        all.addAll(k.track(x, s, s, 0, axis));
        all.addAll(k.track(x, s, s, 0.5, axis));
        all.add(k.fakeQuantize(x, s, z, 0, 255, axis));
        all.add(k.quantizeDequantize(x, s, z, 0, 255, axis));
        addAll(all, k.observe(x, UINT8, AFFINE, axis));
        addAll(all, k.observe(x, s, s, 0.5, UINT8, AFFINE, axis));
        all.add(k.learnedStep(x, s, -8, 7, axis, 0.1));
        all.add(k.learnedStepAndOffset(x, s, f, -8, 7, axis, 0.1));
        all.add(k.binarize(x, true));
        all.add(k.binarize(x, false));
        all.add(k.tanhQuantize(x, 2, true));
        all.add(k.tanhQuantize(x, 2, false));
        all.add(k.scaledSign(x));
        all.add(k.unitQuantize(x, 2));
        all.add(k.clippedQuantize(x, f.get(":1").reshape(1), 2));
        return all;
    }

    private static void addAll(NDList all, QuantizationKernels.Observed o) {
        all.addAll(new NDList(o.value(), o.min(), o.max(), o.scale(), o.zeroPoint()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void everyKernel_lastingParameters_ownsResultsByTheFirstArgument(String name) {
        QuantizationKernels k = QuantizationKernels.create(name, manager);
        NDArray s = lasting.create(new float[] {0.1f, 0.2f});
        NDArray z = lasting.create(new int[] {3, 4});
        NDArray f = lasting.create(new float[] {1, 2});
        s.setRequiresGradient(true);
        NDArray x = step.randomNormal(new Shape(3, 2, 4));
        try (NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            NDList results = everyKernel(k, x, s, z, f, 1);
            assertThat(results).allMatch(r -> r.getManager() == step);
            assertThat(step.getManagedArrays()).hasSize(1 + results.size());
            // the two views made by this test
            assertThat(lasting.getManagedArrays()).hasSize(3 + 2);
        }
        // The caller's scope found every result.
        assertThat(step.getManagedArrays()).containsExactly(x);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void everyKernel_emptyTensor_givesAnEmptyTensor(String name) {
        QuantizationKernels k = QuantizationKernels.create(name, manager);
        NDArray s = step.create(new float[] {0.1f, 0.2f});
        NDArray x = step.zeros(new Shape(0, 2));
        for (int axis : new int[] {-1, 1}) {
            NDArray scale = axis == 1 ? s : s.get(":1");
            NDArray z = axis == 1 ? step.create(new int[] {3, 4}) : step.create(new int[] {3});
            NDList results = everyKernel(k, x, scale, z, scale, axis);
            assertThat(results.get(2).toFloatArray()).as("tracked").isEqualTo(scale.toFloatArray());
            assertThat(results).allMatch(r -> r.size() == 0 || r.size() == scale.size());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "FLOAT32", "FLOAT64"}) // the types DJL has with gradients
    void everyKernel_anyType_keepsIt(DataType dataType) {
        NDArray x = step.randomNormal(new Shape(3, 2)).toType(dataType, false);
        NDArray s = step.create(new float[] {0.1f});
        NDArray z = step.create(new int[] {3});
        QuantizationKernels k = new FusedKernels();
        assertThat(k.fakeQuantize(x, s, z, 0, 255, -1).getDataType()).isEqualTo(dataType);
        assertThat(k.learnedStep(x, s, -8, 7, -1, 1).getDataType()).isEqualTo(dataType);
        assertThat(k.tanhQuantize(x, 2, true).getDataType()).isEqualTo(dataType);
        assertThat(k.range(x, -1).get(0).getDataType()).isEqualTo(DataType.FLOAT32);
    }

    @ParameterizedTest
    @ValueSource(strings = {"weight", "a.b", "a[]", "a()", "a(1,2)", "a[0/x]", "module_method:x"})
    void fakeQuantize_anyName_isJustAName(String name) {
        NDArray x = step.create(new float[] {0.26f, 9});
        x.setName(name);
        x.setRequiresGradient(true);
        NDArray s = lasting.create(new float[] {0.1f});
        s.setName(name);
        NDArray z = lasting.create(new int[] {0});
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y = new FusedKernels().fakeQuantize(x, s, z, -7, 7, -1);
            assertThat(y.toFloatArray()).containsExactly(3 * 0.1f, 7 * 0.1f);
            collector.backward(y.sum());
        }
        assertThat(x.getGradient().toFloatArray()).containsExactly(1, 0);
        assertThat(x.getName()).isEqualTo(name);
        assertThat(lasting.getManagedArrays()).hasSize(2);
    }

    @Test
    void learnedKernels_channelsLast_giveTheSameAndKeepTheOrder() {
        FusedKernels k = new FusedKernels();
        NDArray zero = array(2);
        assertOrderIsKept((x, l) -> k.learnedStep(x, l, -8, 7, -1, 0.1));
        assertOrderIsKept((x, l) -> k.learnedStepAndOffset(x, l, zero, 0, 15, -1, 0.1));
        assertOrderIsKept((x, l) -> k.clippedQuantize(x, l, 4));
    }

    private NDArray array(float... values) {
        return manager.create(values);
    }

    private void assertOrderIsKept(BinaryOperator<NDArray> kernel) {
        Engine.getInstance().setRandomSeed(5);
        NDArray x = manager.randomNormal(new Shape(2, 3, 4, 5));
        NDArray byPixel = flat(x.transpose(0, 2, 3, 1)).reshape(2, 4, 5, 3);
        NDArray expectedLearned = array(0.3f);
        NDArray expected = backward(kernel, x, expectedLearned);
        NDArray learned = array(0.3f);
        NDArray channelsLast = byPixel.transpose(0, 3, 1, 2);
        NDArray y = backward(kernel, channelsLast, learned);
        assertThat(y.toFloatArray()).isEqualTo(expected.toFloatArray());
        assertThat(channelsLast.getGradient().toFloatArray())
                .isEqualTo(x.getGradient().toFloatArray());
        float gradient = expectedLearned.getGradient().getFloat();
        // the same 120 numbers, added up in another order
        assertThat(learned.getGradient().getFloat())
                .isCloseTo(gradient, within(1e-5f * Math.max(1, Math.abs(gradient))));
        // reshape() copies unless the numbers lie in that order already
        NDArray alias = flat(y.stopGradient().transpose(0, 2, 3, 1));
        alias.muli(0).addi(1);
        assertThat(y.toFloatArray()).containsOnly(1);
    }

    private static NDArray flat(NDArray x) {
        return x.reshape(new Shape(-1));
    }

    private static NDArray backward(BinaryOperator<NDArray> kernel, NDArray x, NDArray learned) {
        x.setRequiresGradient(true);
        learned.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y = kernel.apply(x, learned);
            collector.backward(y.mul(x).sum());
            return y;
        }
    }

    @Test
    void fakeQuantize_ties_goWhereTheFormulaHasThem() {
        QuantizationKernels k = new FusedKernels();
        for (int seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            float scale = (float) Math.exp(random.nextGaussian() * 2 - 4);
            int zeroPoint = random.nextInt(255) - 127;
            float[] values = new float[500];
            float[] expected = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = (random.nextInt(255) - 127 + 0.5f) * scale;
                expected[i] =
                        0f
                                + AffineQuantization.fakeQuantize(
                                        values[i], scale, zeroPoint, -127, 127);
            }
            NDArray x = step.create(values);
            NDArray s = step.create(new float[] {scale});
            NDArray z = step.create(new int[] {zeroPoint});
            // 0 is added to both: the sign of zero is nobody's business.
            assertThat(k.fakeQuantize(x, s, z, -127, 127, -1).add(0f).toFloatArray())
                    .as("seed %s", seed)
                    .containsExactly(expected);
            assertThat(k.quantizeDequantize(x, s, z, -127, 127, -1).add(0f).toFloatArray())
                    .as("seed %s", seed)
                    .containsExactly(expected);
        }
    }

    @Test
    void everyKernel_manyCalls_keepTheirGradients() {
        // TorchScript rewrites a module after it has seen it run, and again for new shapes.
        QuantizationKernels k = new FusedKernels();
        QuantizationKernels reference = new NdArrayKernels();
        for (int i = 0; i < 12; i++) {
            int columns = 1 + i % 3;
            for (int axis : new int[] {-1, 0}) {
                List<float[]> expected = gradients(reference, i, columns, axis, i % 4 == 3);
                List<float[]> found = gradients(k, i, columns, axis, i % 4 == 3);
                for (int j = 0; j < expected.size(); j++) {
                    assertThat(found.get(j))
                            .as("call %s axis %s gradient %s", i, axis, j)
                            // sums over a few numbers, in another order
                            .containsExactly(expected.get(j), within(1e-4f));
                }
            }
        }
    }

    /** Gradients of x, scale and level through every kernel; none is asked of x if frozen. */
    private List<float[]> gradients(
            QuantizationKernels k, int seed, int columns, int axis, boolean frozen) {
        float[] values = new float[2 * columns];
        Random random = new Random(seed);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        NDArray x = step.create(values, new Shape(2, columns));
        float[] two = axis == 0 ? new float[] {0.1f, 0.2f} : new float[] {0.1f};
        NDArray s = step.create(two);
        NDArray f = step.create(two).mul(5);
        NDArray z = step.create(axis == 0 ? new int[] {3, 4} : new int[] {3});
        List<NDArray> learned = frozen ? List.of(s, f) : List.of(x, s, f);
        learned.forEach(a -> a.setRequiresGradient(true));
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray loss = s.sum();
            NDArray upstream = step.arange(1f, x.size() + 1f).reshape(x.getShape());
            for (NDArray y : everyKernel(k, x, s, z, f, axis)) {
                if (y.getShape().equals(x.getShape())) {
                    loss = loss.add(y.mul(upstream).sum());
                }
            }
            collector.backward(loss);
        }
        return learned.stream().map(a -> a.getGradient().toFloatArray()).toList();
    }

    @Test
    void learnedStep_insideACallersScope_worksAgainAfterIt() {
        NDArray x = step.create(new float[] {1});
        NDArray s = step.create(new float[] {0.5f});
        double gradientScale = 0.1234;
        for (int i = 0; i < 2; i++) {
            try (NDScope scope = new NDScope()) {
                scope.suppressNotUsedWarning();
                NDArray y = new FusedKernels().learnedStep(x, s, -8, 7, -1, gradientScale);
                assertThat(y.getFloat()).isEqualTo(1);
            }
        }
    }

    @Test
    void observe_severalThreads_giveWhatOneGives() throws Exception {
        QuantizationKernels k = new FusedKernels();
        List<Callable<Boolean>> tasks =
                IntStream.range(0, 8)
                        .<Callable<Boolean>>mapToObj(i -> () -> sameAsReference(k, i))
                        .toList();
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            for (Future<Boolean> result : pool.invokeAll(tasks)) {
                assertThat(result.get()).isTrue();
            }
        } finally {
            pool.shutdownNow();
        }
    }

    private static boolean sameAsReference(QuantizationKernels k, int seed) {
        try (NDManager own = NDManager.newBaseManager()) {
            float[] values = new float[5000];
            Random random = new Random(seed);
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            NDArray x = own.create(values);
            QuantizedType type = new QuantizedType(3 + seed % 4, QuantizationDtype.INT);
            for (int i = 0; i < 20; i++) {
                float[] scale = k.observe(x, type, AFFINE, -1).scale().toFloatArray();
                float[] expected =
                        new NdArrayKernels().observe(x, type, AFFINE, -1).scale().toFloatArray();
                if (scale[0] != expected[0]) {
                    return false;
                }
            }
            return true;
        }
    }
}
