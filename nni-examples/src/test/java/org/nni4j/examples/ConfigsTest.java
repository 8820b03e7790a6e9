package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;

/**
 * Holds every file in {@code configs/} to its name: {@code <example>-<algorithm>[-<more>].json}.
 */
class ConfigsTest {
    private static final Path CONFIGS = Path.of("..", "configs");
    private static final Pattern NAME =
            Pattern.compile("(mnist|cifar10|lstm)-([a-z0-9]+)(-[a-z0-9]+)*\\.json");

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(CONFIGS)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void config_onItsNetwork_quantizesLayers(Path file) {
        Matcher name = NAME.matcher(file.getFileName().toString());
        assertThat(name.matches()).as("%s is named as said above", file).isTrue();
        String example = name.group(1);
        Block block =
                switch (example) {
                    case "mnist" ->
                            name.group(2).equals("bnn")
                                    ? Networks.leNetTanh(10)
                                    : Networks.leNet(10, false);
                    case "cifar10" -> Networks.resNet20(10);
                    default -> LSTM.builder().setStateSize(8).setNumLayers(1).build();
                };
        Shape input =
                switch (example) {
                    case "mnist" -> new Shape(1, 1, 28, 28);
                    case "cifar10" -> new Shape(1, 3, 32, 32);
                    default -> new Shape(1, 5, 8);
                };
        plan(file, name, block, input);
        if (example.equals("cifar10")) {
            plan(file, name, Networks.vggSmall(10), input);
        }
    }

    private static void plan(Path file, Matcher name, Block block, Shape input) {
        Optimizer optimizer = NesterovSgd.builder(Tracker.fixed(0.1f), 0.9f).build();
        try (Model model = Model.newInstance(name.group(1), "PyTorch")) {
            block.initialize(model.getNDManager(), DataType.FLOAT32, input);
            model.setBlock(block);
            try (Quantizer quantizer =
                    Quantizers.create(name.group(2), model, ConfigList.fromJson(file), optimizer)) {
                assertThat(quantizer.plan().quantizedLayers()).isNotEmpty();
            }
        }
    }
}
