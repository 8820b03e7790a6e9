package org.nni4j.algorithms.pairs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/**
 * Random config lists against random networks. For long, from one seed up to another, with {@code
 * -Dnni4j.pairs.from} and {@code -Dnni4j.pairs.to}.
 */
class RandomPairsTest {

    private static final long FROM = Long.getLong("nni4j.pairs.from", 0);
    private static final long TO = Long.getLong("nni4j.pairs.to", 200);

    @Test
    void pair_ofAnySeed_restoresTheNetworkToTheBit() throws IOException {
        RandomPairs pairs = RandomPairs.run(FROM, TO);
        assertThat(pairs.failures()).as(pairs.toString()).isEmpty();
        // Pairs that are refused test less; about half of them are not.
        assertThat(pairs.quantized()).as(pairs.toString()).isGreaterThan((int) (TO - FROM) * 2 / 5);
    }
}
