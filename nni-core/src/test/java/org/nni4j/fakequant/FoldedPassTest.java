package org.nni4j.fakequant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.nni4j.quantization.QuantizationKernels;

/**
 * What a folded layer trains: the weight that evaluation has, by a layer of three channels of which
 * one or another is out of the ordinary.
 */
@SuppressWarnings("NullAway") // parameters of layers by their known names; fields set in setUp
class FoldedPassTest {

    private static final Shape INPUT = new Shape(4, 2);
    private static final float EPSILON = 1e-5f;

    /** Rounds the folded weight to whole numbers. */
    private static final class Whole extends OffQuantizer {
        private final QuantizationKernels kernels;

        Whole(QuantizationKernels kernels) {
            this.kernels = kernels;
        }

        @Override
        public NDArray quantize(NDArray tensor, ForwardContext context) {
            NDArray one = tensor.getManager().create(new float[] {1});
            NDArray zero = tensor.getManager().create(new int[] {0});
            return kernels.fakeQuantize(tensor, one, zero, -127, 127, -1);
        }
    }

    private Model model;
    private Map<String, Parameter> norm;

    @BeforeEach
    void makeFoldedLayer() {
        model = Model.newInstance("folded");
        Linear linear = Linear.builder().setUnits(3).build();
        SequentialBlock block = new SequentialBlock().add(linear).add(BatchNorm.builder().build());
        block.initialize(model.getNDManager(), DataType.FLOAT32, INPUT);
        model.setBlock(block);
        LayerTree tree = LayerTree.of(model);
        Layer layer = tree.layers().get(0);
        Layer batchNorm = tree.layers().get(1);
        norm = batchNorm.parameters();
        layer.parameters().get("weight").getArray().set(new float[] {2.3f, -3.4f, 1, 2, 4, 1.2f});
        layer.parameters().get("bias").getArray().set(new float[] {0.5f, -0.25f, 0.1f});
        set("beta", 0.7f, -0.3f, 0.2f);
        set("runningMean", 0.4f, 0.8f, -0.6f);
        wrap(tree, layer, batchNorm);
    }

    private void wrap(LayerTree tree, Layer layer, Layer batchNorm) {
        FoldedBatchNorm fold =
                new FoldedBatchNorm(
                        batchNorm.path(),
                        batchNorm.block(),
                        norm.get("gamma"),
                        norm.get("beta"),
                        norm.get("runningMean"),
                        norm.get("runningVar"),
                        EPSILON,
                        0);
        StepClock clock = new StepClock();
        QuantizationKernels kernels = QuantizationKernels.create("auto", model.getNDManager());
        Map<Layer, Function<Block, Block>> wrappers = new LinkedHashMap<>();
        wrappers.put(
                layer,
                inner ->
                        new QuantizedLayer(
                                inner,
                                layer.path(),
                                0,
                                clock,
                                new OptimizerWatch(List.of(), clock),
                                kernels,
                                Map.of(layer.weights().get(0), new Whole(kernels)),
                                fold,
                                false,
                                null,
                                null));
        wrappers.put(batchNorm, AbsorbedBatchNorm::new);
        tree.attach(wrappers);
    }

    @AfterEach
    void closeModel() {
        model.close();
    }

    private void set(String parameter, float... values) {
        norm.get(parameter).getArray().set(values);
    }

    private float[] run(boolean training) {
        try (NDManager scope = model.getNDManager().newSubManager();
                GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray x = scope.create(new float[] {1, 2, -1, 0.5f, 3, -2, 0, 1}, INPUT);
            ParameterStore store = new ParameterStore(scope, false);
            NDArray y = model.getBlock().forward(store, new NDList(x), training).head();
            if (training) {
                NDArray weights = scope.arange(12f).reshape(4, 3);
                collector.backward(y.mul(weights).sum());
            }
            return y.toFloatArray();
        }
    }

    private float[] gradient(String parameter) {
        return model.getBlock()
                .getParameters()
                .get(parameter)
                .getArray()
                .getGradient()
                .toFloatArray();
    }

    /** γ/σ = 0.1 in channel 1 leaves it 0.1 and 0.2, which are rounded to 0. */
    @Test
    void train_channelQuantizedToZeros_isTheConstantOfEvaluation() {
        set("gamma", 1, 0.1f, 1);
        float[] evaluated = run(false);
        float[] trained = run(true);
        // β + (b - μ)·γ/σ = -0.3 + (-0.25 - 0.8) · 0.1
        for (int row = 0; row < 4; row++) {
            assertThat(evaluated[3 * row + 1]).isCloseTo(-0.405f, within(1e-6f));
            assertThat(trained[3 * row + 1]).isCloseTo(-0.405f, within(1e-6f));
        }
        assertThat(gradient("02BatchNorm_gamma")[1]).as("it can come back").isNotZero();
        assertThat(gradient("02BatchNorm_beta")[1]).isEqualTo(1 + 4 + 7 + 10);
        for (float g : gradient("01Linear_weight")) {
            assertThat(g).isFinite();
        }
    }

    @Test
    void train_gammaOfZero_isBetaAndLearns() {
        set("gamma", 0, 1, 1);
        float[] trained = run(true);
        for (int row = 0; row < 4; row++) {
            assertThat(trained[3 * row]).isEqualTo(0.7f);
        }
        assertThat(gradient("02BatchNorm_gamma")[0]).isNotZero().isFinite();
        assertThat(gradient("01Linear_weight")[0]).isZero();
    }

    /**
     * With weights 2, -3 in place of 2.3, -3.4 the layer gives -3.5, -3, 12.5, -2.5: normalised,
     * each less the mean 0.875 over the deviation √45.1719.
     */
    @Test
    void train_ordinaryChannel_normalizesWhatTheQuantizedWeightGives() {
        float[] trained = run(true);
        float[] outputs = {-3.5f, -3, 12.5f, -2.5f};
        for (int row = 0; row < 4; row++) {
            double expected = (outputs[row] - 0.875) / Math.sqrt(45.171875) + 0.7;
            // W' = W / √(1 + ε) is rounded, and scaled back.
            assertThat((double) trained[3 * row]).isCloseTo(expected, within(1e-4));
        }
    }
}
