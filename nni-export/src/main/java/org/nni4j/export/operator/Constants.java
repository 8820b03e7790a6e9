package org.nni4j.export.operator;

import java.nio.ByteBuffer;
import java.util.List;
import org.nni4j.export.network.BatchDependenceException;
import org.nni4j.export.network.Dimension;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxGraph;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;
import org.nni4j.graph.Constant;
import org.nni4j.graph.Value;

/** Constants of the trace: as initializers, or made from the batch size where they follow it. */
final class Constants {

    private Constants() {}

    static String emit(NetworkEmitter emitter, Value value) {
        Constant constant = value.constant().orElseThrow();
        Value other = emitter.network().other(value);
        Constant otherConstant = other.constant().orElseThrow();
        OnnxType type = OnnxType.of(value.dataType());
        if (constant.equals(otherConstant) && value.shape().equals(other.shape())) {
            return initializer(emitter.onnx(), value, constant, type);
        }
        List<Dimension> shape = emitter.network().dimensions(value);
        String from = emitter.batch().shape(shape);
        return switch (constant.method()) {
            case "zeros" -> filled(emitter.onnx(), value, from, 0, type);
            case "ones" -> filled(emitter.onnx(), value, from, 1, type);
            case "full" ->
                    filled(emitter.onnx(), value, from, number(constant, otherConstant), type);
            default ->
                    throw new BatchDependenceException(
                            "the elements of "
                                    + value
                                    + ", made by "
                                    + constant.method()
                                    + ", differ between batch sizes");
        };
    }

    private static double number(Constant constant, Constant other) {
        Object value = constant.attributes().get("value");
        if (!(value instanceof Number number) || !value.equals(other.attributes().get("value"))) {
            throw new BatchDependenceException("the value of full follows the batch size");
        }
        return number.doubleValue();
    }

    private static String initializer(
            OnnxGraph onnx, Value value, Constant constant, OnnxType type) {
        return onnx.freshInitializer(value.name(), data(value, constant, type));
    }

    private static TensorData data(Value value, Constant constant, OnnxType type) {
        long[] dims = value.shape().getShape();
        return constant.buffer()
                .map(buffer -> TensorData.raw(type, buffer, dims))
                .orElseGet(() -> made(value, constant, type, dims));
    }

    private static TensorData made(Value value, Constant constant, OnnxType type, long[] dims) {
        double number =
                switch (constant.method()) {
                    case "zeros" -> 0;
                    case "ones" -> 1;
                    case "full" -> number(constant, constant);
                    default ->
                            throw new UnmappedException(
                                    "constant "
                                            + value
                                            + " has more than "
                                            + Constant.MAX_BYTES
                                            + " bytes, which the trace does not keep; make it a"
                                            + " parameter");
                };
        int elements = Math.toIntExact(value.shape().size());
        ByteBuffer buffer =
                ByteBuffer.allocate(Math.multiplyExact(elements, type.bits() / 8))
                        .order(java.nio.ByteOrder.nativeOrder());
        for (int i = 0; i < elements; i++) {
            switch (type) {
                case FLOAT32 -> buffer.putFloat((float) number);
                case FLOAT64 -> buffer.putDouble(number);
                case INT64 -> buffer.putLong((long) number);
                case INT32 -> buffer.putInt((int) number);
                case INT16 -> buffer.putShort((short) number);
                case INT8, UINT8, BOOL -> buffer.put((byte) number);
                default -> throw new UnmappedException("constant " + value);
            }
        }
        return TensorData.raw(type, buffer.rewind(), dims);
    }

    private static String filled(
            OnnxGraph onnx, Value value, String shape, double number, OnnxType type) {
        TensorData element =
                switch (type) {
                    case FLOAT32 -> TensorData.floats(new float[] {(float) number}, 1);
                    case INT64 -> TensorData.longs(new long[] {(long) number}, 1);
                    case INT32 -> TensorData.ints(new int[] {(int) number}, 1);
                    case INT8, UINT8, BOOL -> TensorData.bytes(type, new byte[] {(byte) number}, 1);
                    default -> throw new UnmappedException("constant " + value);
                };
        return onnx.node(
                "ConstantOfShape", value.name(), List.of(shape), Attribute.of("value", element));
    }
}
