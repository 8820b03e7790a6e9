package org.nni4j.export.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.types.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nni4j.export.runtime.RuntimeTensor;

/** Distances are measured in steps that an output's range or magnitude gives. */
class OutputComparisonTest {

    /* Differences of float32 numbers near 100 have five digits. */
    private static final double LAST_BITS = 1e-3;

    private static RuntimeTensor row(float... elements) {
        return RuntimeTensor.floats(elements, 1, elements.length);
    }

    private static RuntimeTensor longs(long... elements) {
        ByteBuffer data =
                ByteBuffer.allocate(elements.length * Long.BYTES).order(ByteOrder.nativeOrder());
        data.asLongBuffer().put(elements);
        return new RuntimeTensor(DataType.INT64, new long[] {elements.length}, data);
    }

    private static OutputComparison compare(RuntimeTensor expected, RuntimeTensor actual) {
        return compare(List.of(expected), List.of(actual));
    }

    private static OutputComparison compare(
            List<RuntimeTensor> expected, List<RuntimeTensor> actual) {
        OutputComparison.Gathered gathered = new OutputComparison.Gathered();
        gathered.add(expected, actual);
        return gathered.compare(1);
    }

    @Test
    void compare_outputWithARange_countsIn255thsOfIt() {
        // range 51, so that a step is 51/255 = 0.2
        assertThat(compare(row(-25, 26), row(-25, 25.4f)).largest())
                .isCloseTo(3, within(LAST_BITS));
    }

    @Test
    void compare_rangeOverSeveralParts_isOne() {
        OutputComparison.Gathered gathered = new OutputComparison.Gathered();
        gathered.add(List.of(row(-25)), List.of(row(-25)));
        gathered.add(List.of(row(26)), List.of(row(25.4f)));

        OutputComparison found = gathered.compare(2);

        assertThat(found.largest()).isCloseTo(3, within(LAST_BITS));
        assertThat(found.mean()).isCloseTo(1.5, within(LAST_BITS));
    }

    /** A constant 2048 has steps of 2048/4096 = 0.5: its last bits are far below one. */
    @Test
    void compare_constantOutput_countsIn4096thsOfIt() {
        assertThat(compare(row(2048, 2048), row(2048, 2049)).largest()).isEqualTo(2);
        assertThat(compare(row(-2048), row(-2048.001f)).largest()).isLessThan(0.01);
    }

    @Test
    void compare_zerosAlone_takesNothingButZeros() {
        assertThat(compare(row(0, 0), row(0, 0)).largest()).isZero();
        assertThat(compare(row(0, 0), row(0, 0.001f)).largest()).isGreaterThan(1e9);
    }

    @Test
    void compare_infinities_areNoRange() {
        float inf = Float.POSITIVE_INFINITY;

        assertThat(compare(row(-inf, 0, 51), row(-inf, 0, 51.2f)).largest())
                .isCloseTo(1, within(LAST_BITS));
        assertThat(compare(row(-inf, 0, 51), row(0, 0, 51)).largest()).isInfinite();
    }

    @Test
    void compare_notANumber_isNeverNear() {
        assertThat(compare(row(0, 51), row(Float.NaN, 51)).largest()).isNaN();
    }

    @Test
    void compare_integers_agreeWhereTheyAreEqual() {
        assertThat(compare(longs(3, 1, 4, 1), longs(3, 1, 4, 2)).agreement()).isEqualTo(0.75);
        assertThat(compare(longs(3, 1), longs(3, 1)).agreement()).isEqualTo(1);
    }

    /** Scores with the same largest element, and half the integers: the least counts. */
    @Test
    void compare_floatsAndIntegers_agreeAsTheWorst() {
        assertThat(
                        compare(List.of(row(1, 2), longs(0, 1)), List.of(row(1, 2), longs(0, 0)))
                                .agreement())
                .isEqualTo(0.5);
    }

    @Test
    void compare_scalar_isOneRow() {
        OutputComparison found =
                compare(
                        RuntimeTensor.floats(new float[] {2}),
                        RuntimeTensor.floats(new float[] {2}));

        assertThat(found.agreement()).isEqualTo(1);
        assertThat(found.largest()).isZero();
    }

    @Test
    void compare_otherSize_isAnError() {
        assertThatThrownBy(() -> compare(row(1, 2), row(1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("output 0 is float32 [1, 1] in ONNX Runtime; expected float32 [1, 2]");
    }
}
