package org.nni4j.fakequant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LearnedValueTest {

    private static final int VALUES = 4096;

    /** DJL's set would leave the gradient in a Java buffer that is freed with the Java object. */
    @Test
    void write_ofAGradient_outlivesTheJavaObject() {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray array = manager.ones(new Shape(VALUES));
            array.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                collector.backward(array.mul(array).sum());
            }
            float[] sevens = new float[VALUES];
            Arrays.fill(sevens, 7);
            try (NDArray gradient = array.getGradient()) {
                LearnedValue.write(gradient, sevens);
            }
            for (int i = 0; i < 20; i++) {
                System.gc();
                ByteBuffer.allocateDirect(VALUES * Float.BYTES);
            }
            try (NDArray gradient = array.getGradient()) {
                assertThat(gradient.toFloatArray()).isEqualTo(sevens);
            }
        }
    }

    @Test
    void write_ofAParameter_isNoPartOfTheGradient() {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray array = manager.create(new float[] {1, 2, Float.NaN});
            array.setRequiresGradient(true);
            LearnedValue.write(array, 4, 5, 6);
            assertThat(array.toFloatArray()).containsExactly(4, 5, 6);
            assertThat(array.hasGradient()).isTrue();
            assertThatThrownBy(() -> LearnedValue.write(array, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("got 1 values; expected 3");
            assertThat(manager.getManagedArrays()).hasSize(1);
        }
    }
}
