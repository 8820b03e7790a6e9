package org.nni4j.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.optimizer.Optimizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;

/** A compress() that fails on the tenth layer leaves everything as it was. */
class HalfDoneTest {

    private static final int LAYERS = 12;
    private static final String TENTH = "02SequentialBlock.04Linear";

    private final Model model = Model.newInstance("twelve");
    private final FailingAlgorithm algorithm = new FailingAlgorithm();

    @AfterEach
    void close() {
        model.close();
    }

    @Test
    void compress_failsOnTheTenthLayer_leavesModelAndOptimizerAsTheyWere() {
        model.setBlock(network(new SequentialBlock()));
        List<Object> tree = tree(model.getBlock());
        float[] output = evaluate();
        try (Quantizer quantizer = quantizer()) {
            algorithm.fails = true;
            assertThatThrownBy(quantizer::compress)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no quantizer for layer \"" + TENTH + "\"");
            assertThat(algorithm.made).hasSize(9).allMatch(made -> made.closed);
            assertUntouched(tree, output);
            // An update must not reach the quantizers that are no more.
            NDArray weight = weight();
            try (NDArray gradient = weight.zerosLike()) {
                quantizer.optimizer().update(parameterId(), weight, gradient);
            }
            assertThat(algorithm.made).noneMatch(made -> made.updated);

            algorithm.fails = false;
            quantizer.compress();
            assertThat(evaluate()).isNotEqualTo(output);
            quantizer.restore();
            assertUntouched(tree, output);
        }
    }

    @Test
    void compress_slotOfTheTenthLayerCannotBeTaken_leavesModelAsItWas() {
        model.setBlock(network(new Hiding()));
        List<Object> tree = tree(model.getBlock());
        float[] output = evaluate();
        try (Quantizer quantizer = quantizer()) {
            assertThatThrownBy(quantizer::compress)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(Hiding.class.getSimpleName());
            assertThat(algorithm.made).allMatch(made -> made.closed);
            assertUntouched(tree, output);
        }
    }

    private Quantizer quantizer() {
        return new Quantizer(
                algorithm,
                model,
                ConfigList.fromMaps(
                        List.of(
                                Map.of(
                                        "quant_types", List.of("weight"),
                                        "quant_bits", 8,
                                        "op_types", List.of("Linear")))),
                Optimizer.adam().build(),
                QuantizerOptions.standard());
    }

    private Block network(SequentialBlock second) {
        Engine.getInstance().setRandomSeed(7);
        SequentialBlock first = new SequentialBlock();
        for (int i = 0; i < LAYERS; i++) {
            (i < 6 ? first : second).add(Linear.builder().setUnits(3).build());
        }
        SequentialBlock network = new SequentialBlock().add(first).add(second);
        network.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 3));
        return network;
    }

    private NDArray weight() {
        return model.getBlock().getParameters().valueAt(0).getArray();
    }

    private String parameterId() {
        return model.getBlock().getParameters().valueAt(0).getId();
    }

    private void assertUntouched(List<Object> tree, float[] output) {
        List<Object> now = tree(model.getBlock());
        assertThat(now).hasSameSizeAs(tree);
        for (int i = 0; i < tree.size(); i++) {
            assertThat(now.get(i)).as("object %d", i).isSameAs(tree.get(i));
        }
        assertThat(evaluate()).isEqualTo(output);
    }

    /** Every block, and every parameter with its array. */
    private static List<Object> tree(Block block) {
        List<Object> objects = new ArrayList<>();
        objects.add(block);
        block.getDirectParameters()
                .forEach(
                        p -> {
                            objects.add(p.getValue());
                            objects.add(p.getValue().getArray());
                        });
        block.getChildren().forEach(child -> objects.addAll(tree(child.getValue())));
        return objects;
    }

    private float[] evaluate() {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDArray x = manager.create(new float[] {.3f, -.7f, 1.1f}, new Shape(1, 3));
            return model.getBlock()
                    .forward(new ParameterStore(manager, false), new NDList(x), false)
                    .head()
                    .toFloatArray();
        }
    }

    /** Shows the plain children for ever, from where no wrapper can be put. */
    private static final class Hiding extends SequentialBlock {
        private static final List<Block> PLAIN = new ArrayList<>();

        @Override
        public BlockList getChildren() {
            BlockList children = super.getChildren();
            if (children.size() == LAYERS - 6) {
                if (PLAIN.isEmpty()) {
                    PLAIN.addAll(children.values());
                }
                return new BlockList(children.keys(), PLAIN);
            }
            return children;
        }
    }

    private static final class FailingAlgorithm implements QuantizationAlgorithm {
        private final List<Halving> made = new ArrayList<>();
        private boolean fails;

        @Override
        public String name() {
            return "failing";
        }

        @Override
        public Capabilities capabilities() {
            return new Capabilities(
                    Map.of(QuantType.WEIGHT, new BitRange(8, 8)),
                    Set.of(),
                    false,
                    false,
                    false,
                    true,
                    Set.of());
        }

        @Override
        public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
            if (fails && point.layer().equals(TENTH)) {
                throw new IllegalStateException("no quantizer for " + point);
            }
            made.add(new Halving());
            return made.get(made.size() - 1);
        }
    }

    private static final class Halving implements TensorQuantizer {
        private boolean closed;
        private boolean updated;

        @Override
        public NDArray quantize(NDArray tensor, ForwardContext context) {
            return tensor.mul(.5f);
        }

        @Override
        public void afterUpdate(NDArray master) {
            updated = true;
        }

        @Override
        public Optional<TensorCalibration> calibration() {
            return Optional.empty();
        }

        @Override
        public void restore(TensorCalibration calibration) {
            throw new IllegalStateException("has none");
        }

        @Override
        public QuantizerState state() {
            return new QuantizerState(Map.of(), Map.of());
        }

        @Override
        public void load(QuantizerState state) {
            throw new IllegalStateException("has none");
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
