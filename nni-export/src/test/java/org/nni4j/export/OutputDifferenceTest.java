package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.types.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.nni4j.export.runtime.RuntimeTensor;

class OutputDifferenceTest {

    @Test
    void oneValue_mayDifferByLastBits() {
        float value = 0.1f;
        // four units in the last place: another order of a sum
        assertThat(floats(value).to(value + 4 * Math.ulp(value)).problem()).isEmpty();
    }

    @Test
    void oneValue_thatIsAnother_isAProblemAndAsksForMoreSamples() {
        assertThat(floats(0.1f).to(0.10001f).problem())
                .hasValueSatisfying(
                        problem ->
                                assertThat(problem)
                                        .contains("y: 1 of 1 values", "almost no range")
                                        .endsWith("compare on more"));
    }

    /** By hand: of a range of 255, a step is 1. */
    @Test
    void singleValues_mayDifferByAStep_butNotOnAverage() {
        float[] expected = new float[20];
        expected[0] = 255;
        float[] single = expected.clone();
        single[7] = 1;
        float[] more = expected.clone();
        more[7] = 1.01f;
        float[] all = new float[20];
        java.util.Arrays.fill(all, 0.2f);
        all[0] = 255;
        assertThat(floats(expected).to(single).problem()).isEmpty();
        assertThat(floats(expected).to(more).problem()).isPresent();
        assertThat(floats(expected).to(all).problem()).isPresent();
    }

    @Test
    void infinities_meetEachOther_andWidenNoRange() {
        float masked = Float.NEGATIVE_INFINITY;
        assertThat(floats(masked, 0, 1).to(masked, 0, 1).problem()).isEmpty();
        assertThat(floats(masked, 0, 1).to(masked, 0, 1.5f).problem()).isPresent();
        assertThat(floats(masked, 0, 1).to(0, 0, 1).problem()).isPresent();
    }

    @Test
    void nan_isAProblem() {
        assertThat(floats(0, 1).to(Float.NaN, 1).problem()).isPresent();
        assertThat(floats(Float.NaN, 1).to(0, 1).problem()).isPresent();
        assertThat(floats(Float.NaN).to(Float.NaN).problem()).isPresent();
    }

    /** Beyond the integers that a double tells apart. */
    @Test
    void integers_mustBeEqual() {
        long large = (1L << 53) + 1;
        assertThat(difference(longs(3, large), longs(3, large)).problem()).isEmpty();
        assertThat(difference(longs(3, large), longs(3, large - 1)).problem())
                .hasValue("y: 1 of 2 integers differ; expected none");
    }

    @Test
    void otherShapes_areRefused() {
        RuntimeTensor row = RuntimeTensor.floats(new float[2], 1, 2);
        RuntimeTensor column = RuntimeTensor.floats(new float[2], 2, 1);
        assertThatThrownBy(() -> difference(row, column))
                .isInstanceOf(OnnxExportException.class)
                .hasMessageContaining("output \"y\" is float32 [2, 1] in ONNX Runtime")
                .hasMessageContaining("expected float32 [1, 2]");
    }

    private static OutputDifference difference(RuntimeTensor expected, RuntimeTensor actual) {
        return OutputDifference.of("y", expected, actual);
    }

    private static Floats floats(float... expected) {
        return new Floats(RuntimeTensor.floats(expected, expected.length));
    }

    private record Floats(RuntimeTensor expected) {
        OutputDifference to(float... actual) {
            return difference(expected, RuntimeTensor.floats(actual, actual.length));
        }
    }

    private static RuntimeTensor longs(long... elements) {
        ByteBuffer data =
                ByteBuffer.allocateDirect(elements.length * Long.BYTES)
                        .order(ByteOrder.nativeOrder());
        data.asLongBuffer().put(elements);
        return new RuntimeTensor(DataType.INT64, new long[] {elements.length}, data);
    }
}
