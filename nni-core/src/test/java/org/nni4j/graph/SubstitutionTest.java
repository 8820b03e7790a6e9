package org.nni4j.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.recurrent.GRU;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nni4j.graph.Substitution.Computation;

class SubstitutionTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private NDList run(Substitution substitution, Block block, NDList inputs) {
        return substitution.run(
                new ParameterStore(manager, false),
                inputs,
                false,
                (store, in) -> block.forward(store, in, false));
    }

    private <T extends Block> T initialized(T block, Shape shape) {
        block.initialize(manager, DataType.FLOAT32, shape);
        return block;
    }

    @Test
    void run_operatorOfALayer_isComputedInstead_andTheRestIsTheLayers() {
        Block block =
                initialized(
                        new SequentialBlock()
                                .add(Linear.builder().setUnits(3).build())
                                .add(Activation.reluBlock()),
                        new Shape(2, 3));
        Computation negated = arguments -> new NDList(((NDArray) arguments.get(0)).neg());
        NDArray x = manager.create(new float[] {1, -2, 3, -4, 5, -6}, new Shape(2, 3));

        NDList y = run(new Substitution(Map.of("linear", negated)), block, new NDList(x));

        assertThat(y.singletonOrThrow().toFloatArray()).containsExactly(0, 2, 0, 4, 0, 6);
    }

    @Test
    void run_argumentsAndResults_areOrdinaryArrays() {
        Block block = initialized(Linear.builder().setUnits(4).build(), new Shape(2, 3));
        List<Object> seen = new ArrayList<>();
        Computation recorded =
                arguments -> {
                    seen.addAll(arguments);
                    return new NDList(((NDArray) arguments.get(0)).duplicate());
                };
        NDArray x = manager.ones(new Shape(2, 3));

        NDArray y = run(new Substitution(Map.of("linear", recorded)), block, new NDList(x)).head();

        assertThat(seen.get(0)).isSameAs(x);
        assertThat(seen.get(1)).isSameAs(block.getParameters().get("weight").getArray());
        assertThat(y.getClass()).isSameAs(x.getClass());
    }

    @Test
    void run_ofAGru_keepsTheStateItMakes() {
        GRU gru =
                initialized(
                        GRU.builder().setStateSize(5).setNumLayers(1).build(), new Shape(2, 3, 4));
        Computation states = arguments -> new NDList((NDArray) arguments.get(1));

        NDList y =
                run(
                        new Substitution(Map.of("gru", states)),
                        gru,
                        new NDList(manager.ones(new Shape(2, 3, 4))));

        assertThat(y.singletonOrThrow().getShape()).isEqualTo(new Shape(1, 2, 5));
    }

    @Test
    void run_layerWithoutTheOperator_throws() {
        Block block = Activation.reluBlock();
        Substitution substitution = new Substitution(Map.of("linear", arguments -> new NDList()));

        assertThatThrownBy(() -> run(substitution, block, new NDList(manager.ones(new Shape(1)))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the layer's code calls none of the operators [linear]");
    }

    @Test
    void new_unknownOperator_throws() {
        assertThatThrownBy(() -> new Substitution(Map.of("lstmm", arguments -> new NDList())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("\"lstmm\" is no operator of the engine that returns a list");
    }
}
