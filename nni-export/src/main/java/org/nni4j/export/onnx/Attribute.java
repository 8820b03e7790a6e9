package org.nni4j.export.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import com.google.protobuf.ByteString;
import java.util.Arrays;

/** A named setting of an ONNX operator. */
public final class Attribute {

    private final AttributeProto proto;

    private Attribute(AttributeProto.Builder builder, String name, AttributeType type) {
        proto = builder.setName(name).setType(type).build();
    }

    /**
     * Makes a whole number.
     *
     * @param name of the attribute
     * @param value of the attribute
     * @return the attribute
     */
    public static Attribute of(String name, long value) {
        return new Attribute(AttributeProto.newBuilder().setI(value), name, AttributeType.INT);
    }

    /**
     * Makes a float.
     *
     * @param name of the attribute
     * @param value of the attribute
     * @return the attribute
     */
    public static Attribute of(String name, float value) {
        return new Attribute(AttributeProto.newBuilder().setF(value), name, AttributeType.FLOAT);
    }

    /**
     * Makes a text.
     *
     * @param name of the attribute
     * @param value of the attribute
     * @return the attribute
     */
    public static Attribute of(String name, String value) {
        return new Attribute(
                AttributeProto.newBuilder().setS(ByteString.copyFromUtf8(value)),
                name,
                AttributeType.STRING);
    }

    /**
     * Makes a list of whole numbers.
     *
     * @param name of the attribute
     * @param values of the attribute
     * @return the attribute
     */
    public static Attribute ints(String name, long... values) {
        AttributeProto.Builder builder = AttributeProto.newBuilder();
        Arrays.stream(values).forEach(builder::addInts);
        return new Attribute(builder, name, AttributeType.INTS);
    }

    /**
     * Makes a list of texts.
     *
     * @param name of the attribute
     * @param values of the attribute
     * @return the attribute
     */
    public static Attribute strings(String name, String... values) {
        AttributeProto.Builder builder = AttributeProto.newBuilder();
        Arrays.stream(values).map(ByteString::copyFromUtf8).forEach(builder::addStrings);
        return new Attribute(builder, name, AttributeType.STRINGS);
    }

    /**
     * Makes a tensor.
     *
     * @param name of the attribute
     * @param value of the attribute
     * @return the attribute
     */
    public static Attribute of(String name, TensorData value) {
        return new Attribute(
                AttributeProto.newBuilder().setT(OnnxGraph.tensor("", value)),
                name,
                AttributeType.TENSOR);
    }

    AttributeProto proto() {
        return proto;
    }

    /** Returns name and value. */
    @Override
    public String toString() {
        return proto.toString();
    }
}
