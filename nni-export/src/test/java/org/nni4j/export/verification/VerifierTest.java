package org.nni4j.export.verification;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.observer.ObserverQuantizer;
import org.nni4j.config.ConfigList;
import org.nni4j.export.OnnxExporter;

/** A model is found out whose last layer, which no quantized tensor follows, is a little wrong. */
class VerifierTest {

    private static final int SEED = 8;

    private static final String INT8 =
            """
            [{"quant_types": ["weight", "input"], "quant_bits": 8, "op_types": ["Linear"]}]
            """;

    @TempDir private Path folder;

    /** Moves every result by so many of the products' scales. */
    private static byte[] withBias(byte[] model, int more) throws IOException {
        ModelProto.Builder wrong = ModelProto.parseFrom(model).toBuilder();
        int changed = 0;
        for (TensorProto.Builder tensor : wrong.getGraphBuilder().getInitializerBuilderList()) {
            if (tensor.getDataType() == TensorProto.DataType.INT32.getNumber()
                    && tensor.getName().contains("bias")) {
                ByteBuffer data =
                        ByteBuffer.wrap(tensor.getRawData().toByteArray())
                                .order(ByteOrder.LITTLE_ENDIAN);
                for (int i = 0; i < data.capacity(); i += Integer.BYTES) {
                    data.putInt(i, data.getInt(i) + more);
                }
                tensor.setRawData(ByteString.copyFrom(data.array()));
                changed++;
            }
        }
        assertThat(changed).as("biases of integers").isEqualTo(1);
        return wrong.build().toByteArray();
    }

    private Verification verified(int wrong) throws IOException {
        try (Model model = Model.newInstance("one", "PyTorch");
                NDManager scope = model.getNDManager().newSubManager()) {
            scope.getEngine().setRandomSeed(SEED);
            Block layer = new SequentialBlock().add(Linear.builder().setUnits(7).build());
            layer.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(5, 6));
            model.setBlock(layer);
            NDList samples = new NDList(scope.randomNormal(new Shape(5, 6)));
            try (ObserverQuantizer quantizer =
                    new ObserverQuantizer(model, ConfigList.fromJson(INT8), samples)) {
                quantizer.observe();
                layer.forward(new ParameterStore(scope, false), samples, false);
                quantizer.compress();
                Path file = folder.resolve("one.onnx");
                OnnxExporter.builder()
                        .optTimed(0)
                        .build()
                        .exportQuantized(quantizer, samples, file);
                // The input's integers come out of the model itself: nothing is before them.
                Verifier.Candidate candidate =
                        new Verifier.Candidate(
                                withBias(Files.readAllBytes(file), wrong), List.of(), List.of());
                return new Verifier(
                                quantizer.inspect(),
                                SampleParts.whole(samples),
                                Verification.Limits.STANDARD,
                                1)
                        .verify(candidate, candidate);
            }
        }
    }

    @Test
    void verify_lastLayerAsTrained_hasNoProblem() throws IOException {
        assertThat(verified(0).problems()).isEmpty();
    }

    @Test
    void verify_lastLayersBiasIsWrong_isAProblemThoughTheSessionTakesIt() throws IOException {
        Verification found = verified(300);

        assertThat(found.cutOutputs().largest()).as(found.toString()).isBetween(1.0, 10.0);
        assertThat(found.session().largest())
                .isLessThan(Verification.Limits.STANDARD.outputSteps());
        assertThat(found.problems())
                .as("seed " + SEED + ", " + found)
                .singleElement()
                .asString()
                .contains("given its own integers");
    }
}
