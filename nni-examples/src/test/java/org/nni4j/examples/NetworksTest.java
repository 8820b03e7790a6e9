package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import org.junit.jupiter.api.Test;

class NetworksTest {

    @Test
    void resNet20_parameters_arePapersAndTwoProjections() {
        // the paper's 0.27 million, and 16·32 + 32·64 weights with 2·(32 + 64) for batch norm
        assertThat(trained(Networks.resNet20(10), new Shape(1, 3, 32, 32)))
                .isEqualTo(269_722 + 2_560 + 192);
    }

    @Test
    void leNet_parameters_areCaffes() {
        // 20·25+20, 50·20·25+50, 500·800+500, 10·500+10
        assertThat(trained(Networks.leNet(10, false), new Shape(1, 1, 28, 28)))
                .isEqualTo(520 + 25_050 + 400_500 + 5_010);
    }

    @Test
    void leNet_normalized_hasBatchNormForBias() {
        // two values per channel instead of one
        assertThat(trained(Networks.leNet(10, true), new Shape(1, 1, 28, 28)))
                .isEqualTo(520 + 25_050 + 400_500 + 5_010 + 20 + 50 + 500);
    }

    @Test
    void leNetTanh_parameters_areLeNetsWithBatchNormForBias() {
        // and the scores are normalized too
        assertThat(trained(Networks.leNetTanh(10), new Shape(1, 1, 28, 28)))
                .isEqualTo(500 + 25_000 + 400_000 + 5_000 + 2 * (20 + 50 + 500 + 10));
    }

    @Test
    void vggSmall_parameters_areThreePairsAndALinearLayer() {
        // 3x3 weights of each pair, two values per channel for batch norm, 256 channels of 4x4 to
        // 10
        long pairs = 9 * (3 * 64 + 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256);
        long norms = 2 * 2 * (64 + 128 + 256);
        assertThat(trained(Networks.vggSmall(10), new Shape(1, 3, 32, 32)))
                .isEqualTo(pairs + norms + 256 * 4 * 4 * 10 + 10);
    }

    @Test
    void networks_outputs_areOneScorePerClass() {
        assertThat(output(Networks.resNet20(7), new Shape(2, 3, 32, 32)))
                .isEqualTo(new Shape(2, 7));
        assertThat(output(Networks.vggSmall(7), new Shape(2, 3, 32, 32)))
                .isEqualTo(new Shape(2, 7));
        assertThat(output(Networks.leNet(7, false), new Shape(2, 1, 28, 28)))
                .isEqualTo(new Shape(2, 7));
        assertThat(output(Networks.leNetTanh(7), new Shape(2, 1, 28, 28)))
                .isEqualTo(new Shape(2, 7));
    }

    private static Shape output(Block block, Shape input) {
        return block.getOutputShapes(new Shape[] {input})[0];
    }

    private static long trained(Block block, Shape input) {
        try (Model model = Model.newInstance("network", "PyTorch")) {
            model.setBlock(block);
            block.initialize(model.getNDManager(), DataType.FLOAT32, input);
            return block.getParameters().values().stream()
                    .filter(Parameter::requiresGradient)
                    .mapToLong(parameter -> parameter.getArray().size())
                    .sum();
        }
    }
}
