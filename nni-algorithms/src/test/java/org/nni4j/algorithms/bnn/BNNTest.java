package org.nni4j.algorithms.bnn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Points;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;

class BNNTest {

    private static final Map<String, Object> STOCHASTIC = Map.of("stochastic", true);

    @Test
    void training_keepsMasterWeightsWithinOne() {
        try (Model model = Networks.lenetModel(1);
                BNNQuantizer quantizer =
                        new BNNQuantizer(
                                model,
                                List.of(
                                        Map.of(
                                                "quant_types", List.of("weight"),
                                                "quant_bits", 1,
                                                "op_types", List.of("Conv2d"))),
                                Networks.sgd(50))) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                Shape images = new Shape(4, 1, 28, 28);
                trainer.initialize(images);
                Networks.step(trainer, images, 10, 1);
            }
            float[] weight =
                    Objects.requireNonNull(
                            Networks.values(model.getBlock()).get("01Conv2d_weight"));
            assertThat(weight).contains(1).contains(-1);
            for (float w : weight) {
                assertThat(w).isBetween(-1f, 1f);
            }
        }
    }

    /** Before the start step the network trains in float, weights beyond 1 included. */
    @Test
    void training_beforeTheStartStep_isThatOfTheFloatNetwork() {
        float[] expected;
        try (Model model = largeWeight();
                Trainer trainer = Networks.trainer(model, Networks.sgd(RATE))) {
            expected = weightAfter(2, model, trainer);
        }
        try (Model model = largeWeight();
                BNNQuantizer quantizer = startingWithStep3(model)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                assertThat(weightAfter(2, model, trainer)).isEqualTo(expected);
            }
        }
        assertThat(expected[0]).isGreaterThan(1);
    }

    @Test
    void training_atTheStartStep_bringsMasterWeightsWithinOne() {
        try (Model model = largeWeight();
                BNNQuantizer quantizer = startingWithStep3(model)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                assertThat(weightAfter(3, model, trainer)[0]).isOne();
            }
        }
    }

    private static final float RATE = .01f;

    /** A model whose first weight is 1.7, as pretrained ones may be. */
    private static Model largeWeight() {
        Model model = Networks.smallModel(1);
        Parameter weight = model.getBlock().getParameters().get("01Conv2d_weight");
        float[] values = weight.getArray().toFloatArray();
        values[0] = 1.7f;
        Networks.set(weight, values);
        return model;
    }

    private static BNNQuantizer startingWithStep3(Model model) {
        Map<String, Object> convolution =
                Map.of(
                        "quant_types",
                        List.of("weight"),
                        "quant_bits",
                        1,
                        "op_types",
                        List.of("Conv2d"),
                        "quant_start_step",
                        3);
        return new BNNQuantizer(model, List.of(convolution), Networks.sgd(RATE));
    }

    private static float[] weightAfter(int steps, Model model, Trainer trainer) {
        trainer.initialize(Networks.SMALL);
        for (int step = 0; step < steps; step++) {
            Networks.step(trainer, Networks.SMALL, 3, step);
        }
        return Objects.requireNonNull(Networks.values(model.getBlock()).get("01Conv2d_weight"));
    }

    @Test
    void stochastic_inTraining_drawsTheSignByHardSigmoid() {
        int n = 40_000;
        float[] x = new float[n];
        float[] upstream = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = i < n / 2 ? .5f : 2;
            upstream[i] = 1;
        }
        for (QuantType type : new QuantType[] {QuantType.WEIGHT, QuantType.INPUT}) {
            try (NDManager manager = NDManager.newBaseManager();
                    TensorQuantizer quantizer = quantizer(type, manager)) {
                Points.Pass pass = Points.train(quantizer, x, new Shape(n), upstream);
                double sum = 0;
                for (int i = 0; i < n / 2; i++) {
                    sum += pass.output()[i];
                }
                // mean of 20,000 draws of probability 3/4: 2 p - 1 = 1/2, four deviations of .87 /
                // sqrt(n)
                assertThat(sum * 2 / n).isCloseTo(.5, within(.025));
                for (int i = n / 2; i < n; i++) {
                    assertThat(pass.output()[i]).isEqualTo(1);
                    assertThat(pass.gradient()[i]).isEqualTo(type == QuantType.WEIGHT ? 1 : 0);
                }
            }
        }
    }

    @Test
    void stochastic_resumed_drawsTheSame() {
        float[] x = new float[100];
        Shape shape = new Shape(100);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(QuantType.INPUT, manager);
                TensorQuantizer resumed = quantizer(QuantType.INPUT, manager)) {
            float[] first = Points.train(quantizer, x, shape, x).output();
            resumed.load(quantizer.state());
            float[] second = Points.train(quantizer, x, shape, x).output();
            assertThat(second).isNotEqualTo(first);
            assertThat(Points.train(resumed, x, shape, x).output()).isEqualTo(second);
        }
    }

    /**
     * By chance half of the signs agree, whichever two steps or tensors and places are compared.
     */
    @Test
    void stochastic_ofOtherStepsAndTensors_isIndependent() {
        int n = 10_000;
        float[] x = new float[n];
        List<float[]> draws = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer input = quantizer(QuantType.INPUT, manager);
                TensorQuantizer weight = quantizer(QuantType.WEIGHT, manager)) {
            for (int step = 0; step < 3; step++) {
                draws.add(Points.train(input, x, new Shape(n), x).output());
                draws.add(Points.train(weight, x, new Shape(n), x).output());
            }
        }
        for (int i = 0; i < draws.size(); i++) {
            for (int j = 0; j < i; j++) {
                for (int lag = -2; lag <= 2; lag++) {
                    double agreement = 0;
                    for (int k = 2; k < n - 2; k++) {
                        agreement += draws.get(i)[k] * draws.get(j)[k + lag] / (n - 4);
                    }
                    // four and a half deviations of a mean of n values of ±1
                    assertThat(agreement)
                            .as("draws %d and %d, %d places apart", i, j, lag)
                            .isCloseTo(0, within(.045));
                }
            }
        }
    }

    @Test
    void stochastic_inEvaluation_isTheSign() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(QuantType.INPUT, manager)) {
            assertThat(Points.evaluate(quantizer, new float[] {-.1f, 0, .1f}, new Shape(3)))
                    .containsExactly(-1, 1, 1);
        }
    }

    private static TensorQuantizer quantizer(QuantType type, NDManager manager) {
        return Points.quantizer("bnn", Points.point("bnn", type, 1, STOCHASTIC), manager);
    }
}
