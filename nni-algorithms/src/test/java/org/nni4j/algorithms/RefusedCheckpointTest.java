package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.checkpoint.CheckpointException;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;

/** A checkpoint of another run is refused with everything that differs, and nothing has changed. */
class RefusedCheckpointTest {

    @TempDir Path folder;

    @BeforeEach
    void save() throws IOException {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer("qat", model, 8, adam(), 0)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                Networks.step(trainer, Networks.SMALL, 3, 1);
            }
            quantizer.saveCheckpoint(folder.resolve("net"));
        }
    }

    @Test
    void loadCheckpoint_ofTheSameRun_isTaken() throws IOException {
        try (Model model = Networks.smallModel(2);
                Quantizer quantizer = quantizer("qat", model, 8, adam(), 0)) {
            quantizer.compress();
            quantizer.loadCheckpoint(folder.resolve("net"));
            assertThat(quantizer.step()).isEqualTo(2);
        }
    }

    @Test
    void loadCheckpoint_ofAnotherConfigAlgorithmSeedAndOptimizer_namesAll() {
        Optimizer sgd = Networks.sgd(.1f);
        refused(Networks.smallModel(2), "lsq", 4, sgd, 6)
                .hasMessageContaining("net-0000.params: 4 problems")
                .hasMessageContaining("algorithm: \"qat\" made the checkpoint; expected \"lsq\"")
                .hasMessageContaining("seed: 0 in the checkpoint; expected 6")
                .hasMessageContaining("config[0].quant_bits: 8 in the checkpoint; expected 4")
                .hasMessageContaining(
                        "optimizer: " + Optimizer.adam().build().getClass().getName());
    }

    @Test
    void loadCheckpoint_ofAnotherOptimizersSettings_namesThem() {
        refused(
                        Networks.smallModel(2),
                        "qat",
                        8,
                        Optimizer.adam().optBeta2(.99f).optClipGrad(2).build(),
                        0)
                .hasMessageContaining("optimizer.beta2: 0.999 in the checkpoint; expected 0.99")
                .hasMessageContaining("optimizer.clipGrad: -1.0 in the checkpoint; expected 2.0");
    }

    @Test
    void loadCheckpoint_ofRenamedAndMissingLayers_listsThem() {
        SequentialBlock other =
                new SequentialBlock()
                        .add(Activation.reluBlock())
                        .add(Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(2).build())
                        .add(Blocks.batchFlattenBlock())
                        .add(Linear.builder().setUnits(3).build());
        refused(model(other), "qat", 8, adam(), 0)
                .hasMessageContaining(
                        "layer \"01Conv2d\" (Conv2d): is in the checkpoint, but not in this network"
                                + " (did you mean \"02Conv2d\"?)")
                .hasMessageContaining("layer \"02Conv2d\" (Conv2d): is not in the checkpoint");
    }

    @Test
    void loadCheckpoint_ofAnotherShape_namesIt() {
        SequentialBlock other =
                new SequentialBlock()
                        .add(Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(2).build())
                        .add(Activation.reluBlock())
                        .add(Blocks.batchFlattenBlock())
                        .add(Linear.builder().setUnits(4).build());
        refused(model(other), "qat", 8, adam(), 0)
                .hasMessageContaining(
                        "layer \"04Linear\", parameter \"weight\": float32 (3, 32) in the"
                                + " checkpoint; expected float32 (4, 32)");
    }

    @Test
    void loadCheckpoint_ofADamagedFile_changesNothing() throws IOException {
        Path file = folder.resolve("net-0000.params");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 4;
        Files.write(file, bytes);
        refused(Networks.smallModel(2), "qat", 8, adam(), 0)
                .hasMessageContaining("net-0000.params: is damaged");
    }

    @Test
    void loadCheckpoint_notInitializedOrCompressed_isRefused() {
        try (Model model = Model.newInstance("bare")) {
            model.setBlock(Networks.small());
            try (Quantizer quantizer = quantizer("qat", model, 8, adam(), 0)) {
                assertThatThrownBy(() -> quantizer.loadCheckpoint(folder.resolve("net")))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("call compress() first");
                quantizer.compress();
                assertThatThrownBy(() -> quantizer.loadCheckpoint(folder.resolve("net")))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("the model is not initialized");
            }
        }
    }

    private org.assertj.core.api.AbstractThrowableAssert<?, ?> refused(
            Model given, String algorithm, int bits, Optimizer optimizer, long seed) {
        try (Model model = given;
                Quantizer quantizer = quantizer(algorithm, model, bits, optimizer, seed)) {
            quantizer.compress();
            Map<String, float[]> before = new LinkedHashMap<>(Networks.values(model.getBlock()));
            CheckpointException refused =
                    catchThrowableOfType(
                            CheckpointException.class,
                            () -> quantizer.loadCheckpoint(folder.resolve("net")));
            assertThat(quantizer.step()).isEqualTo(1);
            assertThat(Networks.values(model.getBlock()))
                    .usingRecursiveComparison()
                    .isEqualTo(before);
            return assertThat(refused);
        }
    }

    private static Model model(Block block) {
        Model model = Model.newInstance("other");
        block.initialize(model.getNDManager(), DataType.FLOAT32, Networks.SMALL);
        model.setBlock(block);
        return model;
    }

    private static Optimizer adam() {
        return Optimizer.adam().build();
    }

    private static Quantizer quantizer(
            String algorithm, Model model, int bits, Optimizer optimizer, long seed) {
        ConfigList config =
                ConfigList.fromMaps(
                        List.of(
                                Map.of(
                                        "quant_types", List.of("weight", "input"),
                                        "quant_bits", bits,
                                        "op_types", List.of("Conv2d", "Linear"))));
        QuantizerOptions options = QuantizerOptions.standard().withSeed(seed);
        return Quantizers.create(algorithm, model, config, optimizer, options);
    }
}
