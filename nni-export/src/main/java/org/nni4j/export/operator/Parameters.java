package org.nni4j.export.operator;

import ai.djl.ndarray.NDArray;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.Optional;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;
import org.nni4j.graph.Constant;
import org.nni4j.graph.ParameterRead;
import org.nni4j.graph.Value;

/** Parameters as they are, and the layouts and folds in which ONNX operators take them. */
final class Parameters {

    private Parameters() {}

    /** Writes a parameter in its own layout, of any type, for an operator without a special one. */
    static String plain(NetworkEmitter emitter, Value value) {
        ParameterRead read = value.parameter().orElseThrow();
        NDArray array = emitter.network().parameter(read);
        OnnxType type = OnnxType.of(array.getDataType());
        return emitter.onnx()
                .sharedInitializer(
                        read.toString(),
                        type,
                        () ->
                                TensorData.raw(
                                        type,
                                        array.toByteBuffer().order(ByteOrder.nativeOrder()),
                                        array.getShape().getShape()));
    }

    /**
     * The elements of a float parameter, or of a constant that stands in its place.
     *
     * @throws UnmappedException if the value is computed
     */
    static float[] floats(Emission emission, Value value) {
        if (value.parameter().isPresent()) {
            return emission.network().parameter(value.parameter().get()).toFloatArray();
        }
        ByteBuffer data =
                value.constant()
                        .flatMap(Constant::buffer)
                        .orElseThrow(
                                () -> new UnmappedException("weight " + value + " is computed"));
        float[] elements = new float[data.remaining() / Float.BYTES];
        data.asFloatBuffer().get(elements);
        return elements;
    }

    /** The elements of a weight whose output channels come first, with the folded BatchNorm. */
    static float[] foldedWeight(Emission emission, Value weight) {
        float[] elements = floats(emission, weight);
        return emission.folding().map(f -> f.weight(elements)).orElse(elements);
    }

    /**
     * Writes the bias with the folded BatchNorm; that of a layer which had none is called as one
     * would be that has. Empty for a layer that has none and needs none.
     */
    static Optional<String> foldedBias(Emission emission) {
        Optional<Value> bias = emission.node().input("bias");
        Optional<Folding> folding = emission.folding();
        if (bias.isEmpty() && folding.isEmpty()) {
            return Optional.empty();
        }
        if (bias.isPresent() && bias.get().parameter().isEmpty()) {
            return Optional.of(emission.input("bias"));
        }
        ParameterRead weight =
                emission.node().input("weight").flatMap(Value::parameter).orElse(null);
        String name =
                bias.map(Value::name)
                        .orElseGet(
                                () ->
                                        new ParameterRead(
                                                        Objects.requireNonNull(weight).layer(),
                                                        "bias")
                                                .toString());
        int channels =
                folding.map(f -> f.scale().length)
                        .orElseGet(() -> (int) bias.orElseThrow().shape().size());
        float[] plain = bias.map(b -> floats(emission, b)).orElseGet(() -> new float[channels]);
        return Optional.of(
                emission.parameter(
                        "bias",
                        new ParameterTensor(
                                name,
                                new long[] {channels},
                                0,
                                () -> folding.map(f -> f.bias(plain)).orElse(plain))));
    }

    /** Swaps the two axes of a matrix. */
    static float[] transposed(float[] matrix, int rows) {
        int columns = matrix.length / rows;
        float[] turned = new float[matrix.length];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                turned[c * rows + r] = matrix[r * columns + c];
            }
        }
        return turned;
    }
}
