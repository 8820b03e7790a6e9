package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.norm.BatchNorm;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.export.verification.Verification;

/** Weights with channels that integers do not come to easily. */
class IntegerWeightsTest {

    private static final Shape PICTURE = new Shape(2, 4, 6, 6);

    private final NDManager manager = Engine.getEngine("PyTorch").newBaseManager();

    @TempDir private Path folder;

    @AfterEach
    void close() {
        manager.close();
    }

    /**
     * A channel of zeros has the smallest scale there is, 2^-23. Its bias of 20 would be an integer
     * of 20 · 2^23 / s, with s of about 4.5 / 255 some 10^10: more than int32 holds.
     */
    @Test
    void export_deadChannelWithBias_staysInIntegers() throws IOException {
        Conv2d dead = IntegerExport.convolution(8);
        SequentialBlock network =
                IntegerExport.initialized(
                        manager,
                        PICTURE,
                        dead,
                        Activation.reluBlock(),
                        IntegerExport.convolution(8));
        IntegerExport.parameter(dead, "weight").set(new NDIndex("3"), 0);
        IntegerExport.parameter(dead, "bias").set(new NDIndex("3"), 20);

        ExportReport report = exported(network);

        assertThat(report.isVerified()).as(report.toString()).isTrue();
        assertThat(report.floatLayers().toString())
                .as("the last layer's result is the network's output")
                .doesNotContain("01Conv2d");
    }

    /** Where a bias is too large, and not because its channel is dead, the report says that. */
    @Test
    void export_biasBeyondInt32_saysWhyItsLayerIsInFloat() throws IOException {
        Conv2d faint = IntegerExport.convolution(8);
        SequentialBlock network = IntegerExport.initialized(manager, PICTURE, faint);
        IntegerExport.parameter(faint, "weight").muli(1e-6f);
        IntegerExport.parameter(faint, "bias").set(new NDIndex("3"), 20);

        ExportReport report = exported(network);

        assertThat(report.floatLayers())
                .filteredOn(f -> f.layer().equals("01Conv2d"))
                .singleElement()
                .satisfies(f -> assertThat(f.reason()).contains("its bias").contains("32 bits"));
    }

    private ExportReport exported(SequentialBlock network) throws IOException {
        return IntegerExport.traced(
                        network, IntegerExport.LAYERS, PICTURE, OnnxExporter.builder(), folder)
                .report();
    }

    /**
     * Every channel of the weight reaches from -1 to 127/128, so that its integers are 0..255
     * around 128. The BatchNorm's negative factor mirrors -128 to 128, which no signed byte holds.
     */
    @ParameterizedTest
    @ValueSource(strings = {"per_channel_affine", "per_tensor_affine"})
    void export_mirroredUnsignedWeight_computesWhatWasTrained(String scheme) throws IOException {
        Conv2d layer = IntegerExport.convolution(8);
        BatchNorm norm = BatchNorm.builder().build();
        SequentialBlock network =
                IntegerExport.initialized(
                        manager,
                        PICTURE,
                        layer,
                        norm,
                        Activation.reluBlock(),
                        IntegerExport.convolution(8));
        NDArray weight = IntegerExport.parameter(layer, "weight");
        manager.randomUniform(-0.99f, 0.99f, weight.getShape()).copyTo(weight);
        weight.set(new NDIndex(":, 0, 0, 0"), -1);
        weight.set(new NDIndex(":, 0, 0, 1"), 127 / 128f);
        IntegerExport.parameter(norm, "gamma").set(new NDIndex("::2"), -0.5f);
        String config =
                """
                [{"quant_types": ["weight", "input"], "quant_bits": 8, "op_types": ["Conv2d"],
                  "quant_dtype": {"weight": "uint"}, "quant_scheme": {"weight": "%s"}}]
                """
                        .formatted(scheme);

        ExportReport report =
                IntegerExport.untraced(
                                network,
                                config,
                                PICTURE,
                                OnnxExporter.builder()
                                        .optUnverified(true)
                                        .optLimits(new Verification.Limits(0.02, 16, 0)),
                                folder)
                        .report();

        assertThat(report.isVerified()).as(report.toString()).isTrue();
        assertThat(report.export().opset()).isEqualTo(17);
    }
}
