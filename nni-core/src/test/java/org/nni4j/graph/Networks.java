package org.nni4j.graph;

import ai.djl.basicmodelzoo.basic.Mlp;
import ai.djl.basicmodelzoo.cv.classification.AlexNet;
import ai.djl.basicmodelzoo.cv.classification.GoogLeNet;
import ai.djl.basicmodelzoo.cv.classification.LeNet;
import ai.djl.basicmodelzoo.cv.classification.MobileNetV1;
import ai.djl.basicmodelzoo.cv.classification.MobileNetV2;
import ai.djl.basicmodelzoo.cv.classification.NiN;
import ai.djl.basicmodelzoo.cv.classification.ResNetV1;
import ai.djl.basicmodelzoo.cv.classification.SqueezeNet;
import ai.djl.basicmodelzoo.cv.classification.VGG;
import ai.djl.basicmodelzoo.cv.object_detection.ssd.SingleShotDetection;
import ai.djl.basicmodelzoo.cv.object_detection.yolo.YOLOV3;
import ai.djl.basicmodelzoo.tabular.TabNet;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.nn.recurrent.RNN;
import ai.djl.nn.transformer.BertBlock;
import ai.djl.nn.transformer.IdEmbedding;
import ai.djl.nn.transformer.TransformerEncoderBlock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/** The networks that can be traced and exported, small where they can be. */
public final class Networks {

    /** A network and what it takes. */
    public record Network(String name, Supplier<Block> block, DataType inputType, Shape... inputs) {

        public Block initialized(NDManager manager) {
            return initialized(manager, DataType.FLOAT32);
        }

        public Block initialized(NDManager manager, DataType type) {
            Block made = block.get();
            made.initialize(manager, type, inputs);
            return made;
        }

        /* Floating inputs count up, so that no two elements are the same; indices are small. */
        public NDList arrays(NDManager manager) {
            return arrays(manager, inputs);
        }

        /* As many samples as asked for. */
        public NDList arrays(NDManager manager, long batch) {
            return arrays(
                    manager,
                    Arrays.stream(inputs).map(s -> withBatch(s, batch)).toArray(Shape[]::new));
        }

        private static Shape withBatch(Shape shape, long batch) {
            long[] sizes = shape.getShape().clone();
            sizes[0] = batch;
            return new Shape(sizes);
        }

        private NDList arrays(NDManager manager, Shape... shapes) {
            NDList arrays = new NDList();
            for (Shape shape : shapes) {
                NDArray counted = manager.arange(0f, (float) shape.size()).reshape(shape);
                arrays.add(
                        inputType.isFloating()
                                ? counted.div(shape.size())
                                : counted.mod(2).toType(inputType, false));
            }
            return arrays;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** Those with many parameters or long passes. */
    public static final Set<String> LARGE =
            Set.of(
                    "AlexNet",
                    "VGG",
                    "NiN",
                    "GoogLeNet",
                    "ResNet50",
                    "YOLOV3",
                    "TabNet",
                    "MobileNetV1",
                    "MobileNetV2",
                    "SSD");

    private static final Map<String, Network> ALL = new LinkedHashMap<>();

    static {
        Shape small = new Shape(1, 3, 32, 32);
        Shape large = new Shape(1, 3, 96, 96);
        Shape image = new Shape(1, 3, 64, 64);
        Shape sequence = new Shape(2, 5, 4);
        add("Mlp", () -> new Mlp(16, 10, new int[] {32}), new Shape(2, 16));
        add("LeNet", () -> LeNet.builder().build(), new Shape(1, 1, 28, 28));
        add("AlexNet", () -> AlexNet.builder().build(), large);
        add("VGG", () -> VGG.builder().setNumLayers(11).setOutSize(10).build(), small);
        add("NiN", () -> NiN.builder().build(), large);
        add("GoogLeNet", () -> GoogLeNet.builder().setOutSize(10).build(), image);
        add("SqueezeNet", () -> SqueezeNet.squeezenet(10), image);
        add("MobileNetV1", () -> MobileNetV1.builder().setOutSize(10).build(), small);
        add("MobileNetV2", () -> MobileNetV2.builder().setOutSize(10).build(), small);
        add("ResNet18", () -> resNet(18), small);
        add("ResNet50", () -> resNet(50), small);
        add("YOLOV3", () -> YOLOV3.builder().setNumClasses(3).build(), image);
        add("SSD", Networks::ssd, image);
        add("TabNet", () -> TabNet.builder().setInputDim(8).setOutDim(2).build(), new Shape(4, 8));
        add(
                "LSTM",
                () -> sequential(LSTM.builder().setStateSize(8).setNumLayers(1).build()),
                sequence);
        add(
                "LSTM2",
                () ->
                        sequential(
                                LSTM.builder()
                                        .setStateSize(8)
                                        .setNumLayers(2)
                                        .optDropRate(0.5f)
                                        .optReturnState(true)
                                        .build()),
                sequence);
        add(
                "GRU",
                () -> sequential(GRU.builder().setStateSize(8).setNumLayers(1).build()),
                sequence);
        add(
                "GRU2",
                () -> sequential(GRU.builder().setStateSize(8).setNumLayers(2).build()),
                sequence);
        add(
                "RNN",
                () ->
                        sequential(
                                RNN.builder()
                                        .setStateSize(8)
                                        .setNumLayers(1)
                                        .setActivation(RNN.Activation.TANH)
                                        .build()),
                sequence);
        add(
                "RNN2",
                () ->
                        sequential(
                                RNN.builder()
                                        .setStateSize(8)
                                        .setNumLayers(2)
                                        .setActivation(RNN.Activation.RELU)
                                        .build()),
                sequence);
        add(
                "TransformerEncoder",
                () -> new TransformerEncoderBlock(16, 2, 32, 0.1f, Activation::gelu),
                new Shape(2, 5, 16));
        add(
                "Norms",
                () ->
                        sequential(
                                Linear.builder().setUnits(8).build(),
                                LayerNorm.builder().build(),
                                Dropout.builder().build(),
                                Activation.swishBlock(1),
                                Activation.mishBlock(),
                                Activation.leakyReluBlock(0.1f),
                                Activation.softPlusBlock()),
                new Shape(2, 4));
        ALL.put(
                "Embedding",
                new Network(
                        "Embedding",
                        () ->
                                sequential(
                                        new IdEmbedding.Builder()
                                                .setDictionarySize(9)
                                                .setEmbeddingSize(4)
                                                .build()),
                        DataType.INT64,
                        new Shape(2, 5)));
        ALL.put(
                "BERT",
                new Network(
                        "BERT",
                        () ->
                                BertBlock.builder()
                                        .nano()
                                        .setTokenDictionarySize(50)
                                        .optMaxSequenceLength(6)
                                        .build(),
                        DataType.INT64,
                        new Shape(1, 6),
                        new Shape(1, 6),
                        new Shape(1, 6)));
    }

    private Networks() {}

    public static List<Network> all() {
        return List.copyOf(ALL.values());
    }

    public static Network named(String name) {
        return Objects.requireNonNull(ALL.get(name), name);
    }

    private static void add(String name, Supplier<Block> block, Shape... inputs) {
        ALL.put(name, new Network(name, block, DataType.FLOAT32, inputs));
    }

    private static Block resNet(int layers) {
        return ResNetV1.builder()
                .setImageShape(new Shape(3, 32, 32))
                .setNumLayers(layers)
                .setOutSize(10)
                .build();
    }

    static SequentialBlock sequential(Block... blocks) {
        SequentialBlock all = new SequentialBlock();
        Arrays.stream(blocks).forEach(all::add);
        return all;
    }

    private static Block ssd() {
        List<List<Float>> sizes = new ArrayList<>();
        List<List<Float>> ratios = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            sizes.add(Arrays.asList(0.2f, 0.3f));
            ratios.add(Arrays.asList(1f, 2f, 0.5f));
        }
        SequentialBlock base =
                sequential(
                        SingleShotDetection.getDownSamplingBlock(4),
                        SingleShotDetection.getDownSamplingBlock(8));
        return SingleShotDetection.builder()
                .setNumClasses(1)
                .setNumFeatures(3)
                .optGlobalPool(true)
                .setRatios(ratios)
                .setSizes(sizes)
                .setBaseNetwork(base)
                .build();
    }
}
