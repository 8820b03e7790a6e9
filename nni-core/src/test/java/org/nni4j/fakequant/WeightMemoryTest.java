package org.nni4j.fakequant;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** A weight is quantized once as long as it stands still, and again when anything has changed. */
@SuppressWarnings("NullAway") // parameters of layers by their known names; fields set in setUp
class WeightMemoryTest {

    private static final QuantizedType INT8 = new QuantizedType(8, QuantizationDtype.INT);
    private static final Shape INPUT = new Shape(2, 3, 5, 5);

    /** Quantizes by the weight's own range, and counts how often. */
    private static final class Counting implements TensorQuantizer {

        private final QuantizationKernels kernels;
        private int calls;
        private long revision;

        Counting(QuantizationKernels kernels) {
            this.kernels = kernels;
        }

        @Override
        public NDArray quantize(NDArray tensor, ForwardContext context) {
            calls++;
            NDArray seen = context.training() ? tensor : tensor.stopGradient();
            return kernels.observe(seen, INT8, QuantizationScheme.PER_TENSOR_SYMMETRIC, -1).value();
        }

        @Override
        public OptionalLong revision() {
            return OptionalLong.of(revision);
        }

        @Override
        public boolean passesGradient() {
            return true;
        }

        @Override
        public Optional<TensorCalibration> calibration() {
            return Optional.empty();
        }

        @Override
        public void restore(TensorCalibration calibration) {
            revision++;
        }

        @Override
        public QuantizerState state() {
            return new QuantizerState(Map.of(), Map.of());
        }

        @Override
        public void load(QuantizerState state) {
            revision++;
        }

        @Override
        public void close() {
            // nothing is kept
        }
    }

    private Model model;
    private StepClock clock;

    @SuppressWarnings("NullAway.Init") // by wrap, which every test calls first
    private Counting quantizer;

    @SuppressWarnings("NullAway.Init") // likewise
    private Parameter weight;

    @BeforeEach
    void makeModel() {
        model = Model.newInstance("memory");
        clock = new StepClock();
    }

    @AfterEach
    void closeModel() {
        model.close();
    }

    private void wrap(Block block, Shape input, String kernels, boolean folded) {
        Engine.getInstance().setRandomSeed(5);
        block.initialize(model.getNDManager(), DataType.FLOAT32, input);
        model.setBlock(block);
        LayerTree tree = LayerTree.of(model);
        Layer layer = tree.layers().get(0);
        weight = layer.weights().get(0);
        QuantizationKernels k = QuantizationKernels.create(kernels, model.getNDManager());
        quantizer = new Counting(k);
        FoldedBatchNorm fold = folded ? fold(tree.layers().get(1)) : null;
        Map<Layer, Function<Block, Block>> wrappers = new LinkedHashMap<>();
        wrappers.put(layer, inner -> layer(inner, layer.path(), k, fold));
        if (folded) {
            wrappers.put(tree.layers().get(1), AbsorbedBatchNorm::new);
        }
        tree.attach(wrappers);
    }

    private QuantizedLayer layer(
            Block inner, String path, QuantizationKernels kernels, @Nullable FoldedBatchNorm fold) {
        OptimizerWatch watch = new OptimizerWatch(List.of(), clock);
        Map<Parameter, TensorQuantizer> weights = Map.of(weight, quantizer);
        return new QuantizedLayer(
                inner, path, 0, clock, watch, kernels, weights, fold, false, null, null);
    }

    private static FoldedBatchNorm fold(Layer norm) {
        Map<String, Parameter> p = norm.parameters();
        return new FoldedBatchNorm(
                norm.path(),
                norm.block(),
                Objects.requireNonNull(p.get("gamma")),
                Objects.requireNonNull(p.get("beta")),
                Objects.requireNonNull(p.get("runningMean")),
                Objects.requireNonNull(p.get("runningVar")),
                1e-5f,
                0);
    }

    private void wrapLinear(String kernels) {
        SequentialBlock block = new SequentialBlock();
        wrap(block.add(Linear.builder().setUnits(4).build()), new Shape(2, 6), kernels, false);
    }

    private float[] evaluate(Shape input) {
        try (NDManager scope = model.getNDManager().newSubManager()) {
            NDList x = new NDList(scope.arange((float) input.size()).reshape(input).div(50f));
            ParameterStore store = new ParameterStore(scope, false);
            return model.getBlock().forward(store, x, false).head().toFloatArray();
        }
    }

    private float[] evaluate() {
        return evaluate(new Shape(2, 6));
    }

    /** One batch of a step: forward, backward; gradients are added up. */
    private void batch(int seed) {
        try (NDManager scope = model.getNDManager().newSubManager()) {
            NDArray x = scope.arange(12f).reshape(2, 6).div(10f).add(seed);
            ParameterStore store = new ParameterStore(scope, false);
            NDArray y = model.getBlock().forward(store, new NDList(x), true).head();
            collector.backward(y.mul(y).sum());
        }
    }

    @SuppressWarnings("NullAway.Init") // by accumulate, before it runs a batch
    private GradientCollector collector;

    /** Returns the weight's gradient after some batches in one step. */
    private float[] accumulate(int... seeds) {
        // Forgets the gradient of the step before, as an optimizer does.
        try (NDArray gradient = weight.getArray().getGradient();
                NDArray copy = gradient.duplicate()) {
            gradient.subi(copy);
        }
        try (GradientCollector opened = Engine.getInstance().newGradientCollector()) {
            collector = opened;
            for (int seed : seeds) {
                batch(seed);
            }
            return weight.getArray().getGradient().toFloatArray();
        } finally {
            clock.update(new Object());
        }
    }

    @Test
    void evaluate_again_quantizesOnce() {
        wrapLinear("fused");
        float[] first = evaluate();
        assertThat(evaluate()).isEqualTo(first);
        assertThat(evaluate()).isEqualTo(first);
        assertThat(quantizer.calls).isEqualTo(1);
    }

    @Test
    void evaluate_afterTheWeightWasWrittenTo_quantizesAgain() {
        wrapLinear("fused");
        float[] first = evaluate();
        float[] doubled = weight.getArray().toFloatArray();
        for (int i = 0; i < doubled.length; i++) {
            doubled[i] *= 2;
        }
        weight.getArray().set(doubled);
        float[] second = evaluate();
        assertThat(quantizer.calls).isEqualTo(2);
        // Twice the weight is twice its grid; the bias is 0.
        for (int i = 0; i < first.length; i++) {
            assertThat(second[i]).isEqualTo(2 * first[i]);
        }
    }

    @Test
    void evaluate_afterTheWeightWasLoaded_quantizesAgain() throws Exception {
        wrapLinear("fused");
        evaluate();
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        model.getBlock().saveParameters(new DataOutputStream(saved));
        NDArray before = weight.getArray();
        model.getBlock()
                .loadParameters(
                        model.getNDManager(),
                        new DataInputStream(new ByteArrayInputStream(saved.toByteArray())));
        assertThat(weight.getArray()).isNotSameAs(before);
        evaluate();
        assertThat(quantizer.calls).isEqualTo(2);
    }

    @Test
    void evaluate_afterTheQuantizerWasLoaded_quantizesAgain() {
        wrapLinear("fused");
        evaluate();
        quantizer.load(quantizer.state());
        evaluate();
        assertThat(quantizer.calls).isEqualTo(2);
    }

    /** Plain operators work on any engine, and not each of them counts changes. */
    @Test
    void evaluate_referenceKernels_rememberNothing() {
        wrapLinear("ndarray");
        evaluate();
        evaluate();
        assertThat(quantizer.calls).isEqualTo(2);
    }

    @Test
    void evaluate_folded_quantizesAgainOnlyWhenTheFoldChanges() {
        Conv2d conv = Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(4).build();
        BatchNorm norm = BatchNorm.builder().build();
        wrap(new SequentialBlock().add(conv).add(norm), INPUT, "fused", true);
        float[] first = evaluate(INPUT);
        assertThat(evaluate(INPUT)).isEqualTo(first);
        assertThat(quantizer.calls).isEqualTo(1);
        NDArray variance = norm.getParameters().get("runningVar").getArray();
        variance.set(new float[] {4, 4, 4, 4});
        assertThat(evaluate(INPUT)).isNotEqualTo(first);
        assertThat(quantizer.calls).isEqualTo(2);
    }

    @Test
    void train_oneBatchForEachStep_remembersNothing() {
        wrapLinear("fused");
        accumulate(1);
        accumulate(2);
        accumulate(3);
        assertThat(quantizer.calls).isEqualTo(3);
    }

    /**
     * The first step shows that batches are accumulated; from then on one call is made for each.
     */
    @Test
    void train_severalBatchesForEachStep_quantizesOnceAStep() {
        wrapLinear("fused");
        accumulate(1, 2, 3);
        int learned = quantizer.calls;
        accumulate(4, 5, 6);
        assertThat(quantizer.calls).isEqualTo(learned + 1);
        accumulate(7, 8, 9, 10);
        assertThat(quantizer.calls).isEqualTo(learned + 2);
    }

    @Test
    void train_severalBatchesForEachStep_gradientsAreThoseOfQuantizingEachTime() {
        wrapLinear("fused");
        accumulate(1, 2, 3);
        int before = quantizer.calls;
        float[] shared = accumulate(4, 5, 6);
        assertThat(quantizer.calls).isEqualTo(before + 1);
        makeFresh("ndarray");
        // The same products in the same order.
        assertThat(accumulate(4, 5, 6)).isEqualTo(shared);
        assertThat(quantizer.calls).isEqualTo(3);
    }

    private void makeFresh(String kernels) {
        model.close();
        makeModel();
        wrapLinear(kernels);
    }

    /** What was computed without a graph must not stand in for what needs one. */
    @Test
    void train_afterAPassWithoutGradients_gradientsFlow() {
        wrapLinear("fused");
        accumulate(1, 2);
        try (NDManager scope = model.getNDManager().newSubManager()) {
            NDList x = new NDList(scope.ones(new Shape(2, 6)));
            model.getBlock().forward(new ParameterStore(scope, false), x, true);
        }
        float[] gradient = accumulate(3, 4);
        makeFresh("ndarray");
        assertThat(accumulate(3, 4)).isEqualTo(gradient);
    }
}
