package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;

/** Calibrations of networks whose BatchNorm is folded describe the folded weights. */
class FoldedCalibrationTest {

    private static final float[] X = Networks.random(Networks.SMALL, 3);
    private static final ConfigList CONFIG =
            ConfigList.fromMaps(
                    List.of(
                            Map.of(
                                    "quant_types", List.of("weight", "input"),
                                    "quant_bits", 8,
                                    "op_types", List.of("Conv2d", "Linear"))));

    private static QATQuantizer folding(Model model) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            return new QATQuantizer(
                    model,
                    CONFIG,
                    Networks.sgd(0.1f),
                    new NDList(manager.zeros(new Shape(1, 1, 6, 6))));
        }
    }

    private static void train(Model model, QATQuantizer quantizer) {
        try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
            for (int seed = 0; seed < 4; seed++) {
                Networks.step(trainer, Networks.SMALL, 3, seed);
            }
        }
    }

    private static void copy(Model from, Model to) {
        List<Parameter> source = from.getBlock().getParameters().values();
        List<Parameter> target = to.getBlock().getParameters().values();
        for (int i = 0; i < source.size(); i++) {
            Networks.set(target.get(i), source.get(i).getArray().toFloatArray());
        }
    }

    @Test
    void loadCalibration_foldedAlike_givesBitIdenticalOutputs() {
        try (Model model = Networks.foldableModel(3);
                QATQuantizer quantizer = folding(model);
                Model other = Networks.foldableModel(3);
                QATQuantizer fresh = folding(other)) {
            assertThat(quantizer.plan().folds()).hasSize(1);
            quantizer.compress();
            train(model, quantizer);
            copy(model, other);
            fresh.compress();
            fresh.loadCalibration(CalibrationConfig.fromJson(quantizer.calibration().toJson()));
            assertThat(Networks.evaluate(other, X, Networks.SMALL))
                    .containsExactly(Networks.evaluate(model, X, Networks.SMALL));
            assertThat(fresh.calibration()).isEqualTo(quantizer.calibration());
        }
    }

    @Test
    void loadCalibration_notFoldedHere_isRefused() {
        try (Model model = Networks.foldableModel(3);
                QATQuantizer quantizer = folding(model);
                Model other = Networks.foldableModel(3);
                QATQuantizer plain = new QATQuantizer(other, CONFIG, Networks.sgd(0.1f))) {
            quantizer.compress();
            train(model, quantizer);
            plain.compress();
            assertThatThrownBy(() -> plain.loadCalibration(quantizer.calibration()))
                    .isInstanceOf(ConfigException.class)
                    .hasMessage(
                            "calibration: layers[\"01Conv2d\"].folded_batch_norm: \"02BatchNorm\""
                                    + " was folded into it; expected nothing");
        }
    }
}
