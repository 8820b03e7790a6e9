package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.basicmodelzoo.cv.classification.ResNetV1;
import ai.djl.engine.Engine;
import ai.djl.modality.nlp.DefaultVocabulary;
import ai.djl.modality.nlp.embedding.TrainableWordEmbedding;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.nn.transformer.BertBlock;
import ai.djl.nn.transformer.TransformerEncoderBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.ConfigException;

/**
 * QAT on every kind of network a user may bring: trained, evaluated, exported values read, and
 * given back.
 */
class NetworkKindsTest {

    private static final int SEED = 31;

    record Kind(
            String name,
            Supplier<Block> network,
            Function<NDManager, NDList> inputs,
            List<Map<String, Object>> config,
            int layers) {

        @Override
        public String toString() {
            return name;
        }
    }

    private static Map<String, Object> entry(List<String> quantTypes, String... opTypes) {
        return Map.of(
                "quant_types",
                quantTypes,
                "quant_bits",
                8,
                "op_types",
                List.of((Object[]) opTypes));
    }

    /** Six in the attention block and its two layers, one that pools. */
    private static final int LINEAR_LAYERS_OF_BERT = 7;

    private static final List<String> BOTH = List.of("weight", "input");

    static Stream<Kind> kinds() {
        return Stream.of(
                new Kind(
                        "parallel",
                        NetworkKindsTest::parallel,
                        m -> new NDList(m.randomNormal(new Shape(2, 2, 6, 6))),
                        List.of(entry(List.of("weight", "input", "output"), "Conv2d")),
                        2),
                new Kind(
                        "user block with final concrete fields",
                        TwoLinear::new,
                        m -> new NDList(m.randomNormal(new Shape(2, 4))),
                        List.of(entry(List.of("weight", "input", "output"), "Linear")),
                        2),
                new Kind(
                        "resnet",
                        () ->
                                ResNetV1.builder()
                                        .setImageShape(new Shape(3, 12, 12))
                                        .setNumLayers(8)
                                        .setOutSize(3)
                                        .build(),
                        m -> new NDList(m.randomNormal(new Shape(2, 3, 12, 12))),
                        List.of(entry(BOTH, "Conv2d", "Linear")),
                        11),
                new Kind(
                        "transformer encoder",
                        () -> new TransformerEncoderBlock(8, 2, 16, 0f, Activation::gelu),
                        m -> new NDList(m.randomNormal(new Shape(2, 5, 8))),
                        List.of(entry(List.of("weight", "input", "output"), "Linear")),
                        6),
                new Kind(
                        "bert",
                        NetworkKindsTest::bert,
                        NetworkKindsTest::tokens,
                        List.of(entry(BOTH, "Linear")),
                        LINEAR_LAYERS_OF_BERT),
                new Kind(
                        "lstm",
                        () ->
                                LSTM.builder()
                                        .setStateSize(3)
                                        .setNumLayers(2)
                                        .optBatchFirst(true)
                                        .build(),
                        m -> new NDList(m.randomNormal(new Shape(2, 5, 4))),
                        List.of(entry(List.of("weight", "input", "output"), "LSTM")),
                        1),
                new Kind(
                        "single layer",
                        () -> Linear.builder().setUnits(3).build(),
                        m -> new NDList(m.randomNormal(new Shape(2, 4))),
                        List.of(entry(List.of("weight", "input", "output"), "Linear")),
                        1),
                new Kind(
                        "shared layer",
                        NetworkKindsTest::shared,
                        m -> new NDList(m.randomNormal(new Shape(2, 4))),
                        List.of(entry(List.of("weight", "input", "output"), "Linear")),
                        1),
                new Kind(
                        "several inputs",
                        NetworkKindsTest::addition,
                        m ->
                                new NDList(
                                        m.randomNormal(new Shape(2, 4)),
                                        m.randomNormal(new Shape(2, 4)).mul(3)),
                        List.of(entry(List.of("input", "output"), "Add")),
                        1));
    }

    /** Without the one that takes seconds. */
    static Stream<Kind> smallKinds() {
        return kinds().filter(kind -> !kind.name().equals("resnet"));
    }

    private static Block parallel() {
        Shape kernel = new Shape(3, 3);
        Block branch =
                Conv2d.builder()
                        .setFilters(2)
                        .setKernelShape(kernel)
                        .optPadding(new Shape(1, 1))
                        .build();
        return new SequentialBlock()
                .add(
                        new ParallelBlock(
                                outputs ->
                                        new NDList(
                                                NDArrays.add(
                                                        outputs.get(0).head(),
                                                        outputs.get(1).head())),
                                List.of(branch, Blocks.identityBlock())))
                .add(Conv2d.builder().setFilters(1).setKernelShape(kernel).build());
    }

    private static Block bert() {
        return BertBlock.builder()
                .optEmbeddingSize(8)
                .optTransformerBlockCount(1)
                .optAttentionHeadCount(2)
                .optHiddenSize(16)
                .optMaxSequenceLength(5)
                .optTypeDictionarySize(2)
                .setTokenDictionarySize(11)
                .build();
    }

    private static NDList tokens(NDManager manager) {
        Shape shape = new Shape(2, 5);
        return new NDList(
                manager.ones(shape, DataType.INT64),
                manager.zeros(shape, DataType.INT64),
                manager.ones(shape, DataType.INT64));
    }

    private static Block shared() {
        Block layer = Linear.builder().setUnits(4).build();
        return new SequentialBlock().add(layer).add(Activation.reluBlock()).add(layer);
    }

    private static Block addition() {
        return new SequentialBlock()
                .add(new LambdaBlock(x -> new NDList(x.get(0).add(x.get(1))), "Add"))
                .add(Linear.builder().setUnits(2).build());
    }

    /** Keeps its children in final fields of their own class, as users do. */
    private static final class TwoLinear extends AbstractBlock {

        private final Linear first = addChildBlock("first", Linear.builder().setUnits(4).build());
        private final Linear second = addChildBlock("second", Linear.builder().setUnits(2).build());

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                @Nullable PairList<String, Object> params) {
            return second.forward(
                    store, first.forward(store, inputs, training, params), training, params);
        }

        @Override
        protected void initializeChildBlocks(
                NDManager manager, DataType dataType, Shape... inputShapes) {
            first.initialize(manager, dataType, inputShapes);
            second.initialize(manager, dataType, first.getOutputShapes(inputShapes));
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputShapes) {
            return second.getOutputShapes(first.getOutputShapes(inputShapes));
        }
    }

    private static Model initialized(Kind kind) {
        Engine.getInstance().setRandomSeed(SEED);
        Model model = Model.newInstance(kind.name());
        Block block = kind.network().get();
        try (NDManager manager = model.getNDManager().newSubManager()) {
            Shape[] shapes = kind.inputs().apply(manager).getShapes();
            block.initialize(model.getNDManager(), DataType.FLOAT32, shapes);
        }
        model.setBlock(block);
        block.getParameters()
                .values()
                .forEach(
                        p -> {
                            if (p.requiresGradient()) {
                                p.getArray().setRequiresGradient(true);
                            }
                        });
        return model;
    }

    private static float[] run(Model model, Kind kind, boolean training) {
        Engine.getInstance().setRandomSeed(SEED);
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDList inputs = kind.inputs().apply(manager);
            ParameterStore store = new ParameterStore(manager, false);
            if (!training) {
                return model.getBlock().forward(store, inputs, false).head().toFloatArray();
            }
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDList y = model.getBlock().forward(store, inputs, true);
                // All outputs count: BERT's second one has a layer of its own.
                collector.backward(
                        y.stream()
                                .map(output -> output.square().sum())
                                .reduce(NDArray::add)
                                .orElseThrow());
                return y.head().toFloatArray();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void compress_anyNetwork_quantizesTrainsAndRestores(Kind kind) {
        try (Model model = initialized(kind);
                QATQuantizer quantizer =
                        new QATQuantizer(model, kind.config(), Networks.sgd(0.1f))) {
            assertThat(quantizer.plan().quantizedLayers()).hasSize(kind.layers());
            float[] before = run(model, kind, false);
            quantizer.compress();
            float[] trained = run(model, kind, true);
            assertThat(trained).as("float output %s", (Object) before).isNotEqualTo(before);
            model.getBlock()
                    .getParameters()
                    .forEach(
                            p -> {
                                if (p.getValue().getType().name().equals("WEIGHT")) {
                                    assertThat(norm(p.getValue().getArray().getGradient()))
                                            .as("gradient of %s", p.getKey())
                                            .isPositive()
                                            .isFinite();
                                }
                            });
            assertThat(run(model, kind, false)).isNotEqualTo(before);
            for (CalibratedLayer layer : quantizer.calibration().layers()) {
                assertThat(layer.unobserved()).as(layer.path()).isEmpty();
            }
            quantizer.restore();
            try (Model plain = copy(model, kind)) {
                assertThat(run(model, kind, false)).containsExactly(run(plain, kind, false));
            }
        }
    }

    /** A float model with the same parameters; training moves running statistics. */
    private static Model copy(Model model, Kind kind) {
        Model copy = initialized(kind);
        List<Parameter> from = model.getBlock().getParameters().values();
        List<Parameter> to = copy.getBlock().getParameters().values();
        for (int i = 0; i < from.size(); i++) {
            Networks.set(to.get(i), from.get(i).getArray().toFloatArray());
        }
        return copy;
    }

    private static float norm(NDArray gradient) {
        return gradient.square().sum().toFloatArray()[0];
    }

    @ParameterizedTest
    @MethodSource("smallKinds")
    void loadCalibration_anyNetwork_givesBitIdenticalOutputs(Kind kind) {
        try (Model model = initialized(kind);
                QATQuantizer quantizer =
                        new QATQuantizer(model, kind.config(), Networks.sgd(0.1f))) {
            quantizer.compress();
            run(model, kind, true);
            CalibrationConfig calibration =
                    CalibrationConfig.fromJson(quantizer.calibration().toJson());
            try (Model other = copy(model, kind);
                    QATQuantizer fresh =
                            new QATQuantizer(other, kind.config(), Networks.sgd(0.1f))) {
                fresh.compress();
                fresh.loadCalibration(calibration);
                assertThat(run(other, kind, false)).containsExactly(run(model, kind, false));
            }
        }
    }

    @Test
    void train_layerOfSeveralInputs_hasARangeForEach() {
        Kind kind =
                kinds().filter(k -> k.name().equals("several inputs")).findFirst().orElseThrow();
        try (Model model = initialized(kind);
                QATQuantizer quantizer =
                        new QATQuantizer(model, kind.config(), Networks.sgd(0.1f))) {
            quantizer.compress();
            run(model, kind, true);
            assertThat(quantizer.calibration().layers().get(0).tensors())
                    .extracting(t -> t.quantType().key() + t.tensor())
                    .containsExactly("input0", "input1", "output0");
        }
    }

    /** DJL's BERT keeps its embedding in a field of a final class, which takes nothing else. */
    @Test
    void compress_slotThatCannotBeTaken_namesTheFieldAndChangesNothing() {
        Kind kind = kinds().filter(k -> k.name().equals("bert")).findFirst().orElseThrow();
        List<Map<String, Object>> config =
                List.of(entry(BOTH, "Linear"), entry(List.of("weight"), "IdEmbedding"));
        try (Model model = initialized(kind);
                QATQuantizer quantizer = new QATQuantizer(model, config, Networks.sgd(0.1f))) {
            float[] before = run(model, kind, false);
            assertThatThrownBy(quantizer::compress)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("field ai.djl.nn.transformer.BertBlock.tokenEmbedding");
            assertThat(run(model, kind, false)).containsExactly(before);
            assertThatThrownBy(quantizer::calibration).hasMessage("call compress() first");
        }
    }

    @Test
    void new_inputOfAnEmbedding_isRefusedBeforeAnythingRuns() {
        TrainableWordEmbedding embedding =
                new TrainableWordEmbedding(new DefaultVocabulary(List.of("a", "b", "c")), 4);
        try (Model model = Model.newInstance("words")) {
            model.setBlock(new SequentialBlock().add(embedding));
            assertThatThrownBy(
                            () ->
                                    new QATQuantizer(
                                            model,
                                            List.of(entry(BOTH, "TrainableWordEmbedding")),
                                            Networks.sgd(0.1f)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessage(
                            "config[0].quant_types: layer \"01TrainableWordEmbedding\""
                                + " (TrainableWordEmbedding) takes integer indices, which cannot be"
                                + " quantized; leave \"input\" out or give layers of this type an"
                                + " entry of their own");
        }
    }

    @Test
    void train_embeddingWeight_isQuantizedAndLearns() {
        TrainableWordEmbedding embedding =
                new TrainableWordEmbedding(new DefaultVocabulary(List.of("a", "b", "c")), 4);
        try (Model model = Model.newInstance("words")) {
            SequentialBlock block = new SequentialBlock().add(embedding);
            block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(2));
            model.setBlock(block);
            try (QATQuantizer quantizer =
                            new QATQuantizer(
                                    model,
                                    List.of(entry(List.of("weight"), "TrainableWordEmbedding")),
                                    Networks.sgd(0.1f));
                    NDManager manager = model.getNDManager().newSubManager()) {
                quantizer.compress();
                Parameter weight = block.getParameters().values().get(0);
                weight.getArray().setRequiresGradient(true);
                try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                    NDList y =
                            block.forward(
                                    new ParameterStore(manager, false),
                                    new NDList(manager.create(new long[] {0, 2})),
                                    true);
                    collector.backward(y.head().square().sum());
                }
                assertThat(norm(weight.getArray().getGradient())).isPositive();
            }
        }
    }

    /** Half precision is computed by float32 arithmetic and given back as it came. */
    @Test
    void evaluate_halfPrecision_keepsItsType() {
        try (Model model = Model.newInstance("half")) {
            SequentialBlock block = new SequentialBlock().add(Linear.builder().setUnits(3).build());
            model.setDataType(DataType.FLOAT16);
            block.initialize(model.getNDManager(), DataType.FLOAT16, new Shape(2, 4));
            model.setBlock(block);
            try (QATQuantizer quantizer =
                            new QATQuantizer(
                                    model,
                                    List.of(entry(List.of("weight", "input", "output"), "Linear")),
                                    Networks.sgd(0.1f));
                    NDManager manager = model.getNDManager().newSubManager()) {
                NDList x =
                        new NDList(
                                manager.create(
                                                Networks.random(new Shape(2, 4), SEED),
                                                new Shape(2, 4))
                                        .toType(DataType.FLOAT16, true));
                ParameterStore store = new ParameterStore(manager, false);
                float[] plain = floats(block.forward(store, x, false));
                quantizer.compress();
                NDList trained = block.forward(store, x, true);
                assertThat(trained.head().getDataType()).isEqualTo(DataType.FLOAT16);
                float[] quantized = floats(block.forward(store, x, false));
                for (int i = 0; i < plain.length; i++) {
                    // Two tensors of 8 bits in 0..1 and half precision's own 2^-11.
                    assertThat(quantized[i]).isCloseTo(plain[i], within(0.02f));
                }
                assertThat(quantizer.calibration().layers().get(0).tensors()).hasSize(3);
            }
        }
    }

    private static float[] floats(NDList y) {
        return y.head().toType(DataType.FLOAT32, true).toFloatArray();
    }

    @Test
    void train_emptyBatch_leavesRangesAlone() {
        Map<String, Object> all = entry(List.of("weight", "input", "output"), "Linear");
        try (Model model = Networks.linear(new float[][] {{1, 2}});
                QATQuantizer quantizer = new QATQuantizer(model, List.of(all), Networks.sgd(0.1f));
                NDManager manager = model.getNDManager().newSubManager()) {
            quantizer.compress();
            ParameterStore store = new ParameterStore(manager, false);
            NDList empty = new NDList(manager.create(new Shape(0, 2)));
            for (boolean training : new boolean[] {true, false}) {
                NDList y = model.getBlock().forward(store, empty, training);
                assertThat(y.head().getShape()).isEqualTo(new Shape(0, 1));
            }
            assertThat(quantizer.calibration().layers().get(0).tensors()).hasSize(1);
            Networks.train(model, new float[] {1, 3}, new Shape(1, 2), new float[] {1});
            model.getBlock().forward(store, empty, true);
            assertThat(quantizer.calibration().layers().get(0).tensors().get(1).calibration().max())
                    .containsExactly(3);
        }
    }

    @Test
    void predict_severalThreads_getTheSameOutputs() throws Exception {
        List<Map<String, Object>> all =
                List.of(entry(List.of("weight", "input", "output"), "Conv2d", "Linear"));
        float[] x = Networks.random(Networks.SMALL, SEED);
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = new QATQuantizer(model, all, Networks.sgd(0.1f))) {
            quantizer.compress();
            Networks.train(model, x, Networks.SMALL, new float[12]);
            float[] expected = Networks.evaluate(model, x, Networks.SMALL);
            ExecutorService threads = Executors.newFixedThreadPool(4);
            try {
                List<Callable<float[]>> predictions = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    predictions.add(() -> Networks.evaluate(model, x, Networks.SMALL));
                }
                for (Future<float[]> prediction : threads.invokeAll(predictions)) {
                    assertThat(prediction.get()).containsExactly(expected);
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }
}
