package org.nni4j.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

class ObserverLawsTest {

    private static final QuantizedType UINT8 = new QuantizedType(8, QuantizationDtype.UINT);
    private static final int SEEDS = 8;
    private static final Shape CHANNELS = new Shape(3, 3, 3);

    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void merge_ofTwo_isObservingBoth(ObserverKind kind) {
        for (int seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            Observer left = create(kind);
            Observer right = create(kind);
            Observer both = create(kind);
            List<float[]> first = batches(random, random.nextInt(4));
            List<float[]> second = batches(random, 1 + random.nextInt(4));
            first.forEach(left::observe);
            second.forEach(right::observe);
            first.forEach(both::observe);
            second.forEach(both::observe);
            left.merge(right);
            assertSame(kind, left, both, "seed " + seed);
        }
    }

    /** Every channel by itself, whichever axis it lies along. */
    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void merge_perChannel_isObservingBoth(ObserverKind kind) {
        for (int seed = 0; seed < SEEDS; seed++) {
            int axis = seed % 3;
            Random random = new Random(seed);
            Observer left = create(kind);
            Observer right = create(kind);
            Observer both = create(kind);
            try (NDManager manager = NDManager.newBaseManager()) {
                for (int b = random.nextInt(3); b >= 0; b--) {
                    NDArray batch = manager.create(channels(random, axis), CHANNELS);
                    left.observe(batch, axis);
                    both.observe(batch, axis);
                }
                for (int b = random.nextInt(3); b >= 0; b--) {
                    NDArray batch = manager.create(channels(random, axis), CHANNELS);
                    right.observe(batch, axis);
                    both.observe(batch, axis);
                }
            }
            left.merge(right);
            assertSame(kind, left, both, "seed " + seed);
        }
    }

    /** A grid that grows by more than 63 doublings takes what it held into its outermost bins. */
    @ParameterizedTest
    @CsvSource({"1e-15, 1", "1e-20, 1", "-1e-20, 1", "1e-38, 3e38", "-1e-38, -3e38"})
    void observe_farLargerValues_countsTheSmallOnesAsNearlyZero(float small, float large) {
        Observer growing = create(ObserverKind.PERCENTILE);
        growing.observe(small, small, small);
        growing.observe(small, large);
        Observer merged = create(ObserverKind.PERCENTILE);
        merged.observe(small, small, small);
        Observer later = create(ObserverKind.PERCENTILE);
        later.observe(small, large);
        merged.merge(later);
        Observer atOnce = create(ObserverKind.PERCENTILE);
        atOnce.observe(small, small, small, small, large);
        assertSame(ObserverKind.PERCENTILE, growing, atOnce, "one after the other");
        assertSame(ObserverKind.PERCENTILE, merged, atOnce, "merged");
    }

    @ParameterizedTest
    @EnumSource(value = ObserverKind.class, mode = EnumSource.Mode.EXCLUDE, names = "EMA")
    void observe_anyOrderAndCutting_givesTheSameState(ObserverKind kind) {
        for (int seed = 0; seed < SEEDS; seed++) {
            List<float[]> batches = batches(new Random(seed), 6);
            Observer inOrder = create(kind);
            batches.forEach(inOrder::observe);
            List<Float> values = new ArrayList<>();
            for (float[] batch : batches) {
                for (float value : batch) {
                    values.add(value);
                }
            }
            Collections.shuffle(values, new Random(seed));
            Observer oneByOne = create(kind);
            values.forEach(v -> oneByOne.observe(v));
            assertSame(kind, oneByOne, inOrder, "seed " + seed);
        }
    }

    /** The full range is among the candidates, also where a multiple of it is beyond the floats. */
    @ParameterizedTest
    @CsvSource({"-3e38, 3e38", "0, 3.4e38", "-1e-38, 3e37"})
    void mse_ofHugeValues_staysFinite(float min, float max) {
        Observer observer = create(ObserverKind.MSE);
        observer.observe(min, min / 2, max / 2, max);
        for (QuantizationScheme scheme :
                List.of(
                        QuantizationScheme.PER_TENSOR_AFFINE,
                        QuantizationScheme.PER_TENSOR_SYMMETRIC)) {
            ObservedRange range = observer.range(UINT8, scheme);
            assertThat(range.min()[0]).isBetween(min, 0f);
            assertThat(range.max()[0]).isBetween(max / 2, max);
        }
    }

    @Test
    void merge_ofAnotherDecay_changesNothing() {
        Observer observer = ObserverKind.EMA.create(new ObserverOptions(99, .9, true));
        Observer other = ObserverKind.EMA.create(new ObserverOptions(99, .99, true));
        other.observe(1, 2);
        assertThatThrownBy(() -> observer.merge(other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("decay 0.99 into one of 0.9");
        assertThat(observer.isEmpty()).isTrue();
    }

    /** A small file must neither hang its reader nor leave half of itself. */
    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void load_ofAnyStateWithOddNumbers_isRefusedOrWorks(ObserverKind kind) {
        Observer source = create(kind);
        source.observe(-1, .5f, 2);
        float[] odd = {
            Float.NaN,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            -Float.MAX_VALUE,
            Float.MAX_VALUE,
            -1,
            0,
            1e9f
        };
        source.state()
                .forEach(
                        (name, values) -> {
                            // those of the first bin, and of the last
                            for (int at : new int[] {0, 1, 2, 3, values.length - 1}) {
                                for (float value : odd) {
                                    Map<String, float[]> state = source.state();
                                    float[] changed = values.clone();
                                    changed[Math.min(at, values.length - 1)] = value;
                                    state.put(name, changed);
                                    loadOdd(kind, state, name + "[" + at + "] = " + value);
                                }
                            }
                        });
    }

    private static void loadOdd(ObserverKind kind, Map<String, float[]> state, String what) {
        Observer observer = create(kind);
        observer.observe(7, 8);
        Map<String, float[]> before = observer.state();
        try {
            observer.load(state);
        } catch (IllegalArgumentException e) {
            assertThat(e).as(what).hasMessageContaining("observer state \"");
            assertThat(observer.state()).containsOnlyKeys(before.keySet());
            observer.state().forEach((key, v) -> assertThat(v).isEqualTo(before.get(key)));
            return;
        }
        observer.observe(-3, 3);
        ObservedRange range = observer.range(UINT8, QuantizationScheme.PER_TENSOR_AFFINE);
        assertThat(range.min()[0]).as(what).isFinite().isLessThanOrEqualTo(range.max()[0]);
    }

    /** Room for what a file only announces would end in an error that nobody expects. */
    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void load_ofOtherNumbersOfChannels_throws(ObserverKind kind) {
        Observer observer = create(kind);
        observer.observe(1, 2, 3);
        for (float channels : new float[] {1e9f, 2, 0, -1, 1.5f, Float.NaN, Float.MAX_VALUE}) {
            Map<String, float[]> state = observer.state();
            state.put("channels", new float[] {channels});
            assertThatThrownBy(() -> create(kind).load(state))
                    .as("%s channels", channels)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("observer state \"channels\" is " + channels);
        }
    }

    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void load_ofStateWithoutValues_throws(ObserverKind kind) {
        Map<String, float[]> state = Map.of("channels", new float[] {1e9f});
        assertThatThrownBy(() -> create(kind).load(state))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("observer state \"");
    }

    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void load_ofState_goesOnTheSame(ObserverKind kind) {
        Random random = new Random(3);
        Observer observer = create(kind);
        batches(random, 3).forEach(observer::observe);
        Observer copy = create(kind);
        copy.observe(1e6f);
        copy.load(observer.state());
        float[] more = batches(random, 1).get(0);
        observer.observe(more);
        copy.observe(more);
        assertSame(kind, copy, observer, "seed 3");
    }

    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void state_afterManyBatches_staysSmall(ObserverKind kind) {
        Random random = new Random(4);
        Observer observer = create(kind);
        for (int i = 0; i < 300; i++) {
            observer.observe(batches(random, 1).get(0));
        }
        int floats = observer.state().values().stream().mapToInt(v -> v.length).sum();
        assertThat(floats).isLessThan(8192 * 4 + 10);
    }

    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void range_always_liesWithinTheData(ObserverKind kind) {
        for (int seed = 0; seed < SEEDS; seed++) {
            Observer observer = create(kind);
            Observer minMax = create(ObserverKind.MIN_MAX);
            for (float[] batch : batches(new Random(seed), 3)) {
                observer.observe(batch);
                minMax.observe(batch);
            }
            for (QuantizationScheme scheme : QuantizationScheme.values()) {
                ObservedRange range = observer.range(UINT8, scheme);
                ObservedRange data = minMax.range(UINT8, scheme);
                float slack =
                        (data.max()[0] - data.min()[0]) * 1e-6f; // rounding of the search's sums
                assertThat(range.min()[0])
                        .as("seed %d, %s", seed, scheme)
                        .isGreaterThanOrEqualTo(data.min()[0] - slack);
                assertThat(range.max()[0])
                        .as("seed %d, %s", seed, scheme)
                        .isLessThanOrEqualTo(data.max()[0] + slack);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void range_ofConstantData_isThatValue(ObserverKind kind) {
        for (float value : new float[] {0f, -0f, 1f, -3.5f, 1e-42f, Float.MAX_VALUE}) {
            Observer observer = create(kind);
            observer.observe(value, value, value);
            ObservedRange range = observer.range(UINT8, QuantizationScheme.PER_TENSOR_AFFINE);
            float slack =
                    Math.abs(value)
                            * 1e-6f; // the moving average adds up to 1 in double only nearly
            assertThat(range.min()[0]).isCloseTo(value, within(slack));
            assertThat(range.max()[0]).isCloseTo(value, within(slack));
        }
    }

    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void observe_perChannel_isOneObserverEach(ObserverKind kind) {
        Random random = new Random(5);
        float[] values = new float[2 * 3 * 50];
        float[][] perChannel = new float[3][2 * 50];
        for (int i = 0; i < values.length; i++) {
            int c = i / 50 % 3;
            values[i] = (float) random.nextGaussian() * (c + 1);
            perChannel[c][i / 150 * 50 + i % 50] = values[i];
        }
        Observer observer = create(kind);
        try (NDManager manager = NDManager.newBaseManager()) {
            observer.observe(manager.create(values, new Shape(2, 3, 50)), 1);
        }
        ObservedRange range = observer.range(UINT8, QuantizationScheme.PER_CHANNEL_AFFINE);
        for (int c = 0; c < 3; c++) {
            Observer alone = create(kind);
            alone.observe(perChannel[c]);
            ObservedRange expected = alone.range(UINT8, QuantizationScheme.PER_TENSOR_AFFINE);
            // channels have coarser histograms: a few bins of 1/512 of the range
            boolean exact = kind == ObserverKind.MIN_MAX || kind == ObserverKind.EMA;
            float slack = (expected.max()[0] - expected.min()[0]) * (exact ? 1e-6f : 0.1f);
            assertThat(range.min()[c]).isCloseTo(expected.min()[0], within(slack));
            assertThat(range.max()[c]).isCloseTo(expected.max()[0], within(slack));
        }
    }

    @ParameterizedTest
    @EnumSource(ObserverKind.class)
    void observe_notFinite_throws(ObserverKind kind) {
        Observer observer = create(kind);
        assertThatThrownBy(() -> observer.observe(1f, Float.NaN))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("NaN");
        assertThat(observer.isEmpty()).isTrue();
    }

    @Test
    void range_ofNothing_throws() {
        assertThatThrownBy(
                        () ->
                                create(ObserverKind.MSE)
                                        .range(UINT8, QuantizationScheme.PER_TENSOR_AFFINE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("nothing was observed yet");
    }

    @Test
    void merge_ofAnotherKind_throws() {
        Observer other = create(ObserverKind.MSE);
        assertThatThrownBy(() -> create(ObserverKind.MIN_MAX).merge(other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("MseObserver");
    }

    @Test
    void of_unknownKey_listsTheKnown() {
        assertThatThrownBy(() -> ObserverKind.of("minmax"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "unknown observer \"minmax\"; expected one of"
                                + " [min_max, ema, percentile, histogram, entropy, mse]");
    }

    private static Observer create(ObserverKind kind) {
        return kind.create(ObserverOptions.DEFAULT);
    }

    /** A batch of three channels, each on a scale of its own. */
    private static float[] channels(Random random, int axis) {
        double[] scales = {scale(random), scale(random), scale(random)};
        long inner = CHANNELS.slice(axis + 1).size();
        float[] batch = new float[(int) CHANNELS.size()];
        for (int i = 0; i < batch.length; i++) {
            batch[i] = (float) (random.nextGaussian() * scales[(int) (i / inner % 3)]);
        }
        return batch;
    }

    /** Near one another for the grid's growing, or far apart for how far it can. */
    private static double scale(Random random) {
        int decades = random.nextBoolean() ? 4 : 30;
        return Math.pow(10, random.nextInt(2 * decades + 1) - decades);
    }

    /** Batches whose scales differ by powers of ten, so that grids must grow. */
    private static List<float[]> batches(Random random, int count) {
        List<float[]> batches = new ArrayList<>();
        for (int b = 0; b < count; b++) {
            double scale = scale(random);
            double shift = random.nextInt(3) - 1;
            float[] batch = new float[1 + random.nextInt(200)];
            for (int i = 0; i < batch.length; i++) {
                batch[i] = (float) ((random.nextGaussian() + shift) * scale);
            }
            batches.add(batch);
        }
        return batches;
    }

    private static void assertSame(
            ObserverKind kind, Observer actual, Observer expected, String which) {
        if (kind == ObserverKind.EMA) {
            ObservedRange a = actual.range(UINT8, QuantizationScheme.PER_TENSOR_AFFINE);
            ObservedRange e = expected.range(UINT8, QuantizationScheme.PER_TENSOR_AFFINE);
            // the same sum in another order, in double, then rounded to float
            for (int c = 0; c < e.min().length; c++) {
                assertThat(a.min()[c])
                        .as(which)
                        .isCloseTo(e.min()[c], within(Math.abs(e.min()[c]) * 1e-6f));
                assertThat(a.max()[c])
                        .as(which)
                        .isCloseTo(e.max()[c], within(Math.abs(e.max()[c]) * 1e-6f));
            }
            return;
        }
        Map<String, float[]> a = actual.state();
        Map<String, float[]> e = expected.state();
        assertThat(a.keySet()).as(which).isEqualTo(e.keySet());
        e.forEach(
                (name, values) ->
                        assertThat(a.get(name)).as(which + ", " + name).isEqualTo(values));
    }
}
