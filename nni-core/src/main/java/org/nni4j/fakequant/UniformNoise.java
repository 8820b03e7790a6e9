package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Uniform random numbers for one tensor of a network, drawn again in each training pass.
 *
 * <p>A draw follows from the run's seed, the tensor's name and the number of draws before it, and
 * from nothing else: the engine's generator cannot be saved, and a resumed run must draw what it
 * would have drawn.
 *
 * <p>Draws may be asked for by several threads.
 */
public final class UniformNoise {

    /*
     * Nearby seeds must not give nearby generators. SplittableRandom adds one constant to its seed for each number, so
     * generators whose seeds differ by a multiple of that constant give the same numbers, some places apart. Hence a
     * name is taken in letter by letter through the generator's own mixing, and each draw has a generator that was split
     * off, whose seed is mixed and whose constant is its own.
     */
    private static final String DRAWS = "draws";

    private final long seed;
    private long draws;

    /**
     * Makes a source that has drawn nothing yet.
     *
     * @param runSeed the run's seed
     * @param tensor names the tensor; other names give independent numbers
     */
    public UniformNoise(long runSeed, String tensor) {
        long mixed = mix(runSeed);
        for (int i = 0; i < tensor.length(); i++) {
            mixed = mix(mixed ^ tensor.charAt(i));
        }
        this.seed = mixed;
    }

    private static long mix(long value) {
        return new SplittableRandom(value).nextLong();
    }

    /**
     * Draws numbers for each value of a tensor.
     *
     * @param like gives the shape and the floating type
     * @param bound positive
     * @return each in {@code [-bound, bound)} before the type rounds it, on a grid of 24 bits;
     *     owned by the tensor's manager
     */
    public NDArray draw(NDArray like, float bound) {
        SplittableRandom random = new SplittableRandom(seed + nextDraw()).split();
        float[] values = new float[Math.toIntExact(like.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (random.nextInt() >> 8) * 0x1p-23f * bound;
        }
        return like.getManager().create(values, like.getShape()).toType(like.getDataType(), false);
    }

    private synchronized long nextDraw() {
        return ++draws;
    }

    /**
     * Returns how far the source is.
     *
     * @return a snapshot of one counter
     */
    public synchronized QuantizerState state() {
        return new QuantizerState(Map.of(), Map.of(DRAWS, draws));
    }

    /**
     * Goes back to a snapshot.
     *
     * @param state of a source with the same seed and name
     * @throws IllegalArgumentException if it holds no number of draws
     */
    public synchronized void load(QuantizerState state) {
        draws = state.counter(DRAWS);
    }
}
