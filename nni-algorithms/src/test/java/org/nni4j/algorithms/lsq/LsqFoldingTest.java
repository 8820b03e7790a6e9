package org.nni4j.algorithms.lsq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.norm.BatchNorm;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;

/**
 * A folded weight, by hand: W [[1, -2], [3, .5]], b [.5, -.5], γ [1.5, .25], β [.1, -.1], μ [1,
 * -1], σ² [4, .25].
 *
 * <p>γ/σ is [.75, .5], so W' [[.75, -1.5], [1.5, .25]] and b' [-.275, .15]. E|W'| is 1, and with 4
 * bits s = 2 · 1 / √7, where W has 2 · 1.625 / √7. W' / s rounds to [[1, -2], [2, 0]].
 */
class LsqFoldingTest {

    private static final float STEP = (float) (2 / Math.sqrt(7));
    private static final Shape BATCH = new Shape(2, 2, 1, 1);

    /** A BatchNorm's ε of 1e-5 takes off 1.25e-6 of γ/σ in one channel and 2e-5 in the other. */
    private static final Offset<Float> EPSILON = within(4e-5f);

    private static Model model() {
        Model model = Model.newInstance("folded");
        SequentialBlock block =
                new SequentialBlock()
                        .add(Conv2d.builder().setKernelShape(new Shape(1, 1)).setFilters(2).build())
                        .add(BatchNorm.builder().build());
        block.initialize(model.getNDManager(), DataType.FLOAT32, BATCH);
        model.setBlock(block);
        set(model, "01Conv2d_weight", 1, -2, 3, .5f);
        set(model, "01Conv2d_bias", .5f, -.5f);
        set(model, "02BatchNorm_gamma", 1.5f, .25f);
        set(model, "02BatchNorm_beta", .1f, -.1f);
        set(model, "02BatchNorm_runningMean", 1, -1);
        set(model, "02BatchNorm_runningVar", 4, .25f);
        return model;
    }

    private static void set(Model model, String parameter, float... values) {
        Networks.set(model.getBlock().getParameters().get(parameter), values);
    }

    private static LsqQuantizer quantizer(Model model, Map<String, Object> keys) {
        Map<String, Object> entry = new LinkedHashMap<>(keys);
        entry.put("quant_types", List.of("weight"));
        entry.put("quant_bits", 4);
        entry.put("op_types", List.of("Conv2d"));
        return new LsqQuantizer(
                model,
                ConfigList.fromMaps(List.of(entry)),
                Networks.sgd(.1f),
                new NDList(model.getNDManager().zeros(BATCH)));
    }

    private static float step(LsqQuantizer quantizer) {
        TensorCalibration weight =
                quantizer
                        .calibration()
                        .layers()
                        .get(0)
                        .tensor(QuantType.WEIGHT, "weight")
                        .orElseThrow();
        return weight.parameters().scale()[0];
    }

    private static void train(Model model) {
        Networks.train(model, new float[] {1, -1, 2, .5f}, BATCH, new float[4]);
    }

    @Test
    void firstStepSize_isThatOfTheFoldedWeight() {
        try (Model model = model();
                LsqQuantizer quantizer = quantizer(model, Map.of())) {
            quantizer.compress();
            train(model);
            assertThat(step(quantizer)).isCloseTo(STEP, EPSILON);
        }
    }

    @Test
    void evaluate_isTheFoldedNetworkFakeQuantized() {
        // frozen, so that the statistics of the training pass are not those of that batch
        try (Model model = model();
                LsqQuantizer quantizer = quantizer(model, Map.of("bn_freeze_step", 1))) {
            quantizer.compress();
            float s = STEP;
            // of [1, 0] and [0, 1]: the columns of Q(W'), plus b'
            float[] expected = {s - .275f, 2 * s + .15f, -2 * s - .275f, .15f};
            float[] inputs = {1, 0, 0, 1};
            assertThat(Networks.evaluate(model, inputs, BATCH)).containsExactly(expected, EPSILON);
            train(model);
            assertThat(Networks.evaluate(model, inputs, BATCH)).containsExactly(expected, EPSILON);
            assertThat(step(quantizer)).isCloseTo(STEP, EPSILON);
        }
    }
}
