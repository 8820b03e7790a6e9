package org.nni4j.algorithms.lsq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Points;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationScheme;

class LsqTest {

    private static final float[] W = {-.9f, .25f, .4f, .1f, -.3f, 1.3f};
    private static final float[] G = {1, 2, 3, 4, 5, 6};
    private static final Shape SHAPE = new Shape(2, 3);

    /** Digits printed by NNI, which computes in float32 as well. */
    private static final Offset<Float> DIGITS = within(2e-6f);

    @Test
    void weight_firstPass_givesNniNumbers() {
        assertFirst(
                8,
                0.0961302966f,
                0.1442129314f,
                G,
                -.8651727f,
                .2883909f,
                .3845212f,
                .0961303f,
                -.2883909f,
                1.3458241f);
        assertFirst(
                4,
                0.4094615281f,
                -0.3574804664f,
                G,
                -.8189231f,
                .4094615f,
                .4094615f,
                0,
                -.4094615f,
                1.2283846f);
        assertFirst(3, 0.6254628301f, 0.4734977186f, G, -.6254628f, 0, .6254628f, 0, 0, 1.2509257f);
        assertFirst(
                2,
                1.0833333731f,
                2.1542949677f,
                new float[] {1, 2, 3, 4, 5, 0},
                -1.0833334f,
                0,
                0,
                0,
                0,
                1.0833334f);
    }

    private static void assertFirst(
            int bits, float step, float stepGradient, float[] gradient, float... output) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(QuantType.WEIGHT, bits, Map.of(), manager)) {
            Points.Pass pass = Points.train(quantizer, W, SHAPE, G);
            assertThat(step(quantizer)).isCloseTo(step, DIGITS);
            assertThat(pass.output()).containsExactly(output, DIGITS);
            assertThat(pass.gradient()).containsExactly(gradient, DIGITS);
            assertThat(pass.learned().get(0)[0]).isCloseTo(stepGradient, DIGITS);
        }
    }

    @Test
    void quantize_givenStepSize_givesNniNumbers() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(QuantType.WEIGHT, 3, Map.of(), manager)) {
            quantizer.load(state(.5f, true));
            Points.Pass pass =
                    Points.train(
                            quantizer,
                            new float[] {-1.2f, 0, .3f, 5},
                            new Shape(4),
                            new float[] {1, 1, 1, 1});
            assertThat(pass.output()).containsExactly(-1, 0, .5f, 1.5f);
            assertThat(pass.gradient()).containsExactly(1, 1, 1, 0);
            assertThat(pass.learned().get(0)[0]).isCloseTo(1.0969655514f, DIGITS);
        }
    }

    @Test
    void quantize_narrowRange_givesNni3Numbers() {
        Map<String, Object> narrow = Map.of("narrow_range", true);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer four = quantizer(QuantType.WEIGHT, 4, narrow, manager);
                TensorQuantizer two = quantizer(QuantType.WEIGHT, 2, narrow, manager)) {
            four.load(state(.3f, true));
            assertThat(Points.train(four, W, SHAPE, G).learned().get(0)[0])
                    .isCloseTo(-.6172131f, DIGITS);
            two.load(state(.3f, true));
            Points.Pass pass = Points.train(two, W, SHAPE, G);
            assertThat(pass.output())
                    .containsExactly(new float[] {-.3f, .3f, .3f, 0, -.3f, .3f}, DIGITS);
            assertThat(pass.gradient()).containsExactly(0, 2, 0, 4, 5, 0);
            assertThat(pass.learned().get(0)[0]).isCloseTo(2.8577385f, DIGITS);
        }
    }

    @Test
    void learnedOffset_givenParameters_givesNni3Numbers() {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = manager.create(W, SHAPE);
            NDArray step = manager.create(new float[] {.3f});
            NDArray zero = manager.create(new float[] {1});
            x.setRequiresGradient(true);
            step.setRequiresGradient(true);
            zero.setRequiresGradient(true);
            QuantizationKernels kernels = QuantizationKernels.create("ndarray", manager);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray y =
                        kernels.learnedStepAndOffset(x, step, zero, -1, 1, -1, 1 / Math.sqrt(6));
                assertThat(y.toFloatArray())
                        .containsExactly(new float[] {-.6f, 0, 0, 0, -.3f, 0}, DIGITS);
                collector.backward(y.mul(manager.create(G, SHAPE)).sum());
            }
            assertThat(x.getGradient().toFloatArray()).containsExactly(0, 0, 0, 0, 5, 0);
            assertThat(step.getGradient().toFloatArray()[0]).isCloseTo(-.8164966f, DIGITS);
            assertThat(zero.getGradient().toFloatArray()[0]).isCloseTo(-4.8f, DIGITS);
        }
    }

    @Test
    void inputAndOutput_aroundALinearLayer_giveNniNumbers() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer in = quantizer(QuantType.INPUT, 4, Map.of(), manager);
                TensorQuantizer out = quantizer(QuantType.OUTPUT, 4, Map.of(), manager)) {
            NDArray x = manager.create(new float[] {-1, .5f, 2, 3, -2, .1f}, new Shape(2, 3));
            x.setRequiresGradient(true);
            NDArray w = manager.create(W, SHAPE);
            NDArray upstream = manager.create(new float[] {1, 2, 3, 4}, new Shape(2, 2));
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray quantized = in.quantize(x, Points.context(manager, true));
                NDArray y =
                        out.quantize(
                                quantized.matMul(w.transpose()), Points.context(manager, true));
                assertThat(y.toFloatArray())
                        .containsExactly(
                                new float[] {1.69952393f, 3.39904785f, -3.39904785f, 1.69952393f},
                                DIGITS);
                collector.backward(y.mul(upstream).sum());
            }
            assertThat(step(in)).isCloseTo(1.0834982395f, DIGITS);
            assertThat(step(out)).isCloseTo(1.6995239258f, DIGITS);
            assertThat(x.getGradient().toFloatArray())
                    .containsExactly(new float[] {-.7f, -.35f, 3, -2.3f, -.45f, 6.4f}, DIGITS);
            assertThat(gradient(in)).isCloseTo(-.0578978248f, DIGITS);
            assertThat(gradient(out)).isCloseTo(.4826092422f, DIGITS);
        }
    }

    /**
     * With rounding frozen to the shift it made, LSQ is smooth; its gradient is that function's.
     */
    @Test
    void stepSizeGradient_isThatOfTheSmoothPart() {
        for (int seed = 0; seed < 10; seed++) {
            Random random = new Random(seed);
            float[] x = new float[64];
            float[] upstream = new float[64];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) random.nextGaussian();
                upstream[i] = (float) random.nextGaussian();
            }
            float s = .1f + random.nextFloat() * .2f;
            int bits = 2 + random.nextInt(4);
            int qmax = (1 << (bits - 1)) - 1;
            try (NDManager manager = NDManager.newBaseManager();
                    TensorQuantizer quantizer =
                            quantizer(QuantType.WEIGHT, bits, Map.of(), manager)) {
                quantizer.load(state(s, true));
                float found =
                        Points.train(quantizer, x, new Shape(64), upstream).learned().get(0)[0];
                double h = 1e-7;
                double slope =
                        (smooth(x, upstream, s, s + h, qmax) - smooth(x, upstream, s, s - h, qmax))
                                / (2 * h)
                                / Math.sqrt(64.0 * qmax);
                // float32 sums of 64 products against double
                assertThat((double) found).as("seed %d", seed).isCloseTo(slope, within(1e-4));
            }
        }
    }

    private static double smooth(float[] x, float[] upstream, double at, double s, int qmax) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            double shift = Math.rint(x[i] / at) - x[i] / at;
            double v = x[i] / at;
            double value = v < -qmax - 1 ? -qmax - 1 : v > qmax ? qmax : x[i] / s + shift;
            sum += upstream[i] * value * s;
        }
        return sum;
    }

    /** NNI D1: the master weights of quantized layers never trained. */
    @Test
    void training_movesWeightsAndStepSizes() {
        try (Model model = Networks.lenetModel(1);
                LsqQuantizer quantizer = quantizer(model, Map.of())) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                Shape images = new Shape(4, 1, 28, 28);
                trainer.initialize(images);
                Networks.step(trainer, images, 10, 1);
                float[] before =
                        Objects.requireNonNull(
                                        Networks.values(model.getBlock()).get("01Conv2d_weight"))
                                .clone();
                List<Float> steps = steps(quantizer);
                Networks.step(trainer, images, 10, 2);
                assertThat(Networks.values(model.getBlock()).get("01Conv2d_weight"))
                        .isNotEqualTo(before);
                assertThat(steps(quantizer)).doesNotContainAnyElementsOf(steps);
            }
        }
    }

    @Test
    void learningRateMultiple_scalesTheStepSizesAlone() {
        float[] plain = moved(Map.of());
        float[] tenfold = moved(Map.of("learning_rate_multiple", 10));
        // float32: the step size's update is a difference of near values
        assertThat(tenfold[0]).isCloseTo(10 * plain[0], within(Math.abs(plain[0]) * .01f));
        assertThat(tenfold[1]).isEqualTo(plain[1]);
    }

    /** Adam's updates do not depend on the size of gradients, and are scaled all the same. */
    @Test
    void learningRateMultiple_withAdam_scalesTheUpdates() {
        float[] plain = moved(Map.of(), adam());
        float[] tenfold = moved(Map.of("learning_rate_multiple", 10), adam());
        // Adam's first update is its rate
        assertThat(Math.abs(plain[0])).isCloseTo(.001f, within(1e-5f));
        assertThat(tenfold[0]).isCloseTo(10 * plain[0], within(1e-5f));
        assertThat(tenfold[1]).isEqualTo(plain[1]);
    }

    private static Optimizer adam() {
        return Optimizer.adam().optLearningRateTracker(Tracker.fixed(.001f)).build();
    }

    private static float[] moved(Map<String, Object> settings) {
        return moved(settings, Networks.sgd(.01f));
    }

    /** How far one update moves a step size, and a weight. */
    private static float[] moved(Map<String, Object> settings, Optimizer optimizer) {
        try (Model model = Networks.lenetModel(1);
                LsqQuantizer quantizer =
                        new LsqQuantizer(
                                model, List.of(entry(settings, List.of("weight"))), optimizer)) {
            quantizer.compress();
            float before = steps(quantizer).get(0);
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                Shape shape = new Shape(4, 1, 28, 28);
                trainer.initialize(shape);
                Networks.step(trainer, shape, 10, 1);
                return new float[] {
                    steps(quantizer).get(0) - before,
                    Networks.values(model.getBlock()).values().iterator().next()[0]
                };
            }
        }
    }

    @Test
    void countBatch_false_takesTheFeaturesOfOneSampleAsThePaperDoes() {
        float whole = firstGradient(QuantType.INPUT, Map.of());
        float sample = firstGradient(QuantType.INPUT, Map.of("count_batch", false));
        // two samples of three values: n is 3 instead of 6
        assertThat(sample).isCloseTo((float) Math.sqrt(2) * whole, within(Math.abs(whole) * 1e-6f));
        assertThat(firstGradient(QuantType.WEIGHT, Map.of("count_batch", false)))
                .isEqualTo(firstGradient(QuantType.WEIGHT, Map.of()));
    }

    @Test
    void countBatch_falsePerChannel_takesAChannelsFeaturesOfOneSample() {
        float[] whole = channelGradients(QuantType.INPUT, Map.of());
        float[] sample = channelGradients(QuantType.INPUT, Map.of("count_batch", false));
        for (int c = 0; c < 3; c++) {
            // two samples of three channels of two values: n is 2 instead of 4
            assertThat(sample[c])
                    .isCloseTo((float) Math.sqrt(2) * whole[c], within(Math.abs(whole[c]) * 1e-6f));
        }
        assertThat(channelGradients(QuantType.WEIGHT, Map.of("count_batch", false)))
                .isEqualTo(channelGradients(QuantType.WEIGHT, Map.of()));
    }

    private static float[] channelGradients(QuantType type, Map<String, Object> settings) {
        float[] x = {-.9f, .25f, .4f, .1f, -.3f, 1.3f, .7f, -.2f, .5f, 2.1f, -1.1f, .6f};
        QuantizationPoint point =
                Points.point(
                        type,
                        4,
                        QuantizationDtype.UINT,
                        QuantizationScheme.PER_CHANNEL_SYMMETRIC,
                        settings);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = Points.quantizer("lsq", point, manager)) {
            return Points.train(quantizer, x, new Shape(2, 3, 2), x).learned().get(0);
        }
    }

    private static float firstGradient(QuantType type, Map<String, Object> settings) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(type, 4, settings, manager)) {
            return Points.train(quantizer, W, SHAPE, G).learned().get(0)[0];
        }
    }

    @Test
    void stepSize_underAHugeUpdate_staysPositive() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(QuantType.WEIGHT, 4, Map.of(), manager)) {
            Points.train(quantizer, W, SHAPE, G);
            float before = step(quantizer);
            NDArray value = quantizer.learnedParameters().get(0).getArray();
            quantizer.beforeUpdate(quantizer.learnedParameters().get(0), value, value);
            value.set(new float[] {-5});
            quantizer.afterUpdate(quantizer.learnedParameters().get(0), value);
            assertThat(step(quantizer)).isEqualTo(before / 2);
        }
    }

    @Test
    void uintInput_ofNegativeData_getsTheSignedRange() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer positive = quantizer(QuantType.INPUT, 4, Map.of(), manager);
                TensorQuantizer negative = quantizer(QuantType.INPUT, 4, Map.of(), manager)) {
            Points.train(positive, new float[] {0, 1, 2, 3, 4, 5}, SHAPE, G);
            Points.train(negative, W, SHAPE, G);
            TensorCalibration unsigned = positive.calibration().orElseThrow();
            TensorCalibration signed = negative.calibration().orElseThrow();
            assertThat(unsigned.parameters().zeroPoint()).containsExactly(0);
            assertThat(unsigned.type().qmax()).isEqualTo(15);
            assertThat(signed.parameters().zeroPoint()).containsExactly(8);
        }
    }

    @Test
    void zeros_beforeAnythingElse_leaveTheStepSizeOpen() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(QuantType.INPUT, 4, Map.of(), manager)) {
            float[] zeros = new float[6];
            assertThat(Points.train(quantizer, zeros, SHAPE, G).output()).containsExactly(zeros);
            assertThat(quantizer.calibration()).isEmpty();
            Points.train(quantizer, W, SHAPE, G);
            assertThat(quantizer.calibration()).isPresent();
        }
    }

    @Test
    void dummyInput_foldsBatchNorm() {
        Shape images = new Shape(4, 3, 8, 8);
        SequentialBlock block =
                new SequentialBlock()
                        .add(
                                Conv2d.builder()
                                        .setKernelShape(new Shape(3, 3))
                                        .setFilters(4)
                                        .optBias(false)
                                        .build())
                        .add(BatchNorm.builder().build())
                        .add(Activation.reluBlock())
                        .add(Blocks.batchFlattenBlock())
                        .add(Linear.builder().setUnits(5).build());
        try (Model model = Model.newInstance("conv-bn")) {
            block.initialize(model.getNDManager(), DataType.FLOAT32, images);
            model.setBlock(block);
            NDList dummy = new NDList(model.getNDManager().ones(images));
            ConfigList config =
                    ConfigList.fromMaps(List.of(entry(Map.of(), List.of("weight", "input"))));
            try (LsqQuantizer quantizer =
                    new LsqQuantizer(model, config, Networks.sgd(.01f), dummy)) {
                assertThat(quantizer.plan().toString()).contains("BatchNorm");
                quantizer.compress();
                float first;
                try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                    trainer.initialize(images);
                    Networks.step(trainer, images, 5, 1);
                    first = steps(quantizer).get(0);
                    Networks.step(trainer, images, 5, 2);
                }
                assertThat(quantizer.calibration().layers().get(0).foldedBatchNorm())
                        .isEqualTo("02BatchNorm");
                assertThat(steps(quantizer).get(0)).isNotEqualTo(first);
            }
        }
    }

    /** NNI D18: one bit divides by zero. */
    @Test
    void oneBit_isAConfigError() {
        try (Model model = Networks.lenetModel(1)) {
            assertThatThrownBy(
                            () ->
                                    new LsqQuantizer(
                                            model,
                                            List.of(
                                                    Map.of(
                                                            "quant_types", List.of("weight"),
                                                            "quant_bits", 1,
                                                            "op_types", List.of("Conv2d"))),
                                            Networks.sgd(.1f)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("1 bits is not supported")
                    .hasMessageContaining("2..8");
        }
    }

    @Test
    void wrongSetting_isAConfigErrorThatNamesIt() {
        try (Model model = Networks.lenetModel(1)) {
            assertThatThrownBy(() -> quantizer(model, Map.of("learning_rate_multiple", -1)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("learning_rate_multiple")
                    .hasMessageContaining("-1");
        }
    }

    private static LsqQuantizer quantizer(Model model, Map<String, Object> settings) {
        Optimizer sgd = Networks.sgd(.05f);
        return new LsqQuantizer(model, List.of(entry(settings, List.of("weight", "input"))), sgd);
    }

    private static Map<String, Object> entry(Map<String, Object> settings, List<String> types) {
        Map<String, Object> entry =
                new java.util.LinkedHashMap<>(
                        Map.of(
                                "quant_types",
                                types,
                                "quant_bits",
                                4,
                                "op_types",
                                List.of("Conv2d", "Linear")));
        if (!settings.isEmpty()) {
            entry.put("settings", settings);
        }
        return entry;
    }

    private static List<Float> steps(LsqQuantizer quantizer) {
        return quantizer.calibration().layers().stream()
                .flatMap(layer -> layer.tensors().stream())
                .map(tensor -> tensor.calibration().parameters().scale()[0])
                .toList();
    }

    private static TensorQuantizer quantizer(
            QuantType type, int bits, Map<String, Object> settings, NDManager manager) {
        QuantizationPoint point =
                Points.point(
                        type,
                        bits,
                        type == QuantType.WEIGHT ? QuantizationDtype.INT : QuantizationDtype.UINT,
                        QuantizationScheme.PER_TENSOR_SYMMETRIC,
                        settings);
        return Points.quantizer("lsq", point, manager);
    }

    private static QuantizerState state(float step, boolean signed) {
        return new QuantizerState(
                Map.of("step_size", new float[] {step}), Map.of("signed", signed ? 1L : 0L));
    }

    private static float step(TensorQuantizer quantizer) {
        return quantizer.state().array("step_size", 1)[0];
    }

    private static float gradient(TensorQuantizer quantizer) {
        return quantizer.learnedParameters().get(0).getArray().getGradient().toFloatArray()[0];
    }
}
