package org.nni4j.algorithm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;
import org.nni4j.fakequant.TensorQuantizer;

class AlgorithmsTest {

    /** The same name again, as from a second jar. */
    private static final class Impostor implements QuantizationAlgorithm {

        @Override
        public String name() {
            return "rounding";
        }

        @Override
        public Capabilities capabilities() {
            return new RoundingAlgorithm().capabilities();
        }

        @Override
        public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
            throw new IllegalStateException("never asked");
        }
    }

    @Test
    void find_usersAlgorithm_isFoundByItsName() {
        assertThat(Algorithms.find("rounding")).isInstanceOf(RoundingAlgorithm.class);
        assertThat(Algorithms.available()).contains("rounding");
    }

    @Test
    void find_unknownName_listsTheAvailableOnes() {
        assertThatThrownBy(() -> Algorithms.find("roundng", List.of(new RoundingAlgorithm())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unknown algorithm \"roundng\"; available: [rounding]");
    }

    @Test
    void find_twoOfOneName_namesBothClasses() {
        assertThatThrownBy(
                        () ->
                                Algorithms.find(
                                        "rounding",
                                        List.of(new RoundingAlgorithm(), new Impostor())))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "two algorithms are named \"rounding\":"
                                + " org.nni4j.algorithm.RoundingAlgorithm and"
                                + " org.nni4j.algorithm.AlgorithmsTest$Impostor");
    }

    @Test
    void create_usersAlgorithm_quantizesAModel() {
        Linear linear = Linear.builder().setUnits(1).optBias(false).build();
        SequentialBlock block = new SequentialBlock().add(linear);
        ConfigList config =
                ConfigList.fromMaps(
                        List.of(
                                Map.of(
                                        "quant_types", List.of("weight"),
                                        "quant_bits", 8,
                                        "op_types", List.of("Linear"))));
        try (Model model = Model.newInstance("user");
                NDManager manager = model.getNDManager().newSubManager()) {
            block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 2));
            manager.create(new float[] {1.4f, -2.6f}, new Shape(1, 2))
                    .copyTo(linear.getParameters().get("weight").getArray());
            model.setBlock(block);
            try (Quantizer quantizer = Quantizers.create("rounding", model, config, null)) {
                quantizer.compress();
                NDList y =
                        block.forward(
                                new ParameterStore(manager, false),
                                new NDList(manager.create(new float[] {1, 10}, new Shape(1, 2))),
                                false);
                assertThat(y.head().toFloatArray()).containsExactly(-29);
                assertThatThrownBy(quantizer::optimizer)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("this quantizer was made without an optimizer");
            }
        }
    }
}
