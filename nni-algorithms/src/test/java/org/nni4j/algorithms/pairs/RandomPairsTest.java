package org.nni4j.algorithms.pairs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.MalformedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.pairs.RandomPair.Outcome;

/** Random config lists against random networks; {@link RandomPairs} does the same for long. */
class RandomPairsTest {

    private static final int PAIRS = 200;

    @TempDir Path folder;

    @Test
    void pair_ofAnySeed_restoresTheNetworkToTheBit() throws IOException, MalformedModelException {
        int quantized = 0;
        for (long seed = 0; seed < PAIRS; seed++) {
            RandomPair pair = new RandomPair(seed);
            try {
                Path own = Files.createDirectory(folder.resolve("seed" + seed));
                if (pair.run(own) == Outcome.QUANTIZED) {
                    quantized++;
                }
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(pair.toString(), e);
            }
        }
        // Pairs that are refused test less. About half are, and more of an algorithm that works on
        // few types of layers, which a network may not have.
        assertThat(quantized).isGreaterThan(PAIRS * 2 / 5);
    }
}
