package org.nni4j.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.Test;

class MultiInputBlocksTest {

    private static float[] run(Block block, Shape... shapes) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDList inputs = new NDList();
            for (Shape shape : shapes) {
                inputs.add(manager.arange(1f, shape.size() + 1f).reshape(shape));
            }
            block.initialize(manager, DataType.FLOAT32, shapes);
            NDArray output =
                    block.forward(new ParameterStore(manager, false), inputs, false)
                            .singletonOrThrow();
            assertThat(output.getShape()).isEqualTo(block.getOutputShapes(shapes)[0]);
            return output.toFloatArray();
        }
    }

    @Test
    void elementwiseAdd_addsAllInputs() {
        assertThat(run(new ElementwiseAdd(), new Shape(1, 2), new Shape(2, 1), new Shape(2)))
                .containsExactly(1 + 1 + 1, 2 + 1 + 2, 1 + 2 + 1, 2 + 2 + 2);
    }

    @Test
    void elementwiseMul_multipliesAllInputs() {
        assertThat(run(new ElementwiseMul(), new Shape(3), new Shape(3))).containsExactly(1, 4, 9);
    }

    @Test
    void concat_putsInputsEndToEnd() {
        assertThat(run(new Concat(), new Shape(2, 1), new Shape(2, 2)))
                .containsExactly(1, 1, 2, 2, 3, 4);
        assertThat(run(new Concat(-2), new Shape(1, 2), new Shape(2, 2)))
                .containsExactly(1, 2, 1, 2, 3, 4);
    }

    @Test
    void matMul_multipliesMatrices() {
        // [[1 2] [3 4]] [[1] [2]]
        assertThat(run(new MatMul(), new Shape(2, 2), new Shape(2, 1))).containsExactly(5, 11);
        assertThat(run(new MatMul(), new Shape(2, 1, 2), new Shape(2, 1))).containsExactly(5, 11);
    }

    @Test
    void batchMatMul_multipliesEachPair() {
        assertThat(run(new BatchMatMul(), new Shape(2, 1, 2), new Shape(2, 2, 1)))
                .containsExactly(5, 25);
    }

    @Test
    void forward_oneInput_throws() {
        assertThatThrownBy(() -> run(new ElementwiseAdd(), new Shape(2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("ElementwiseAdd: got 1 inputs; expected 2 or more");
    }

    @Test
    void getOutputShapes_ofShapesThatDoNotFit_throws() {
        Shape[] shapes = {new Shape(2, 3), new Shape(2, 3)};

        assertThatThrownBy(() -> new MatMul().getOutputShapes(shapes))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("MatMul: shapes [(2, 3), (2, 3)] do not go together");
    }
}
