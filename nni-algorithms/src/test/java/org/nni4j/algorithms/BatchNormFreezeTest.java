package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;
import org.nni4j.config.SettingKey;
import org.nni4j.graph.GraphTracer;

/** {@code bn_freeze_step}, with every algorithm that folds. */
class BatchNormFreezeTest {

    private static final int FREEZE = 3;

    static Stream<String> folding() {
        return Algorithms.available().stream()
                .filter(name -> Algorithms.find(name).capabilities().folding());
    }

    private static Quantizer quantizer(String algorithm, Model model) {
        Map<String, Object> entry =
                Map.of(
                        "quant_types",
                        List.of("weight", "input"),
                        "quant_bits",
                        4,
                        "op_types",
                        List.of("Conv2d"),
                        "bn_freeze_step",
                        FREEZE);
        return Quantizers.create(
                algorithm,
                model,
                ConfigList.fromMaps(List.of(entry)),
                Networks.sgd(.05f),
                QuantizerOptions.standard(),
                GraphTracer.trace(
                        model, new NDList(model.getNDManager().zeros(new Shape(1, 1, 6, 6)))));
    }

    /** The statistics move in the steps before that one, and everything else in all of them. */
    @ParameterizedTest
    @MethodSource("folding")
    void statistics_fromTheFreezeStepOn_stay(String algorithm) {
        try (Model model = Networks.foldableModel(4);
                Quantizer quantizer = quantizer(algorithm, model)) {
            assertThat(quantizer.plan().folds())
                    .singleElement()
                    .satisfies(fold -> assertThat(fold.freezeStep()).isEqualTo(FREEZE));
            quantizer.compress();
            List<Map<String, float[]>> after = new ArrayList<>();
            after.add(Networks.values(model.getBlock()));
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                for (int step = 1; step <= 5; step++) {
                    Networks.step(trainer, Networks.SMALL, 3, step);
                    after.add(Networks.values(model.getBlock()));
                }
            }
            for (int step = 1; step <= 5; step++) {
                for (String name : List.of("02BatchNorm_runningMean", "02BatchNorm_runningVar")) {
                    float[] before = after.get(step - 1).get(name);
                    boolean same = Arrays.equals(after.get(step).get(name), before);
                    assertThat(same).as("%s in step %d", name, step).isEqualTo(step >= FREEZE);
                }
                assertThat(after.get(step).get("02BatchNorm_gamma"))
                        .isNotEqualTo(after.get(step - 1).get("02BatchNorm_gamma"));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("folding")
    void everyAlgorithmThatFolds_canFreeze(String algorithm) {
        Capabilities capabilities = Algorithms.find(algorithm).capabilities();
        assertThat(capabilities.settings()).contains(SettingKey.BN_FREEZE_STEP.key());
    }
}
