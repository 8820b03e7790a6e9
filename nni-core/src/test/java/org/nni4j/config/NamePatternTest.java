package org.nni4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class NamePatternTest {

    @Test
    void matches_dottedPath_isTheWholePath() {
        NamePattern pattern = NamePattern.of(".*\\.[0-9]+Conv2d");

        assertThat(pattern.matches("05ParallelBlock.01SequentialBlock.01Conv2d")).isTrue();
        assertThat(pattern.matches("05ParallelBlock.01SequentialBlock.01Conv2d.x")).isFalse();
    }

    @Test
    @Timeout(5)
    void matches_nestedRepetition_givesUp() {
        String name = "a".repeat(100);

        assertThatThrownBy(() -> NamePattern.of("(.*a){20}b").matches(name))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "op_names_re: \"(.*a){20}b\" takes too long on \""
                                + "a".repeat(60)
                                + "…\"; expected a simpler pattern");
    }

    @Test
    void matches_deepRecursion_givesUp() {
        String name = "ab".repeat(100_000);

        assertThatThrownBy(() -> NamePattern.of("(a|b)*c").matches(name))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("op_names_re: \"(a|b)*c\" takes too long on ");
    }
}
