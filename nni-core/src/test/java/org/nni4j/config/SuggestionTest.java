package org.nni4j.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuggestionTest {

    @ParameterizedTest
    @CsvSource({
        "quant_type,quant_types",
        "quantTypes,quant_types",
        "QUANT_TYPES,quant_types",
        "op-types,op_types",
        "opnames,op_names",
        "qaunt_bits,quant_bits",
        "bits,quant_bits",
        "dtype,quant_dtype",
        "exlude,exclude",
    })
    void of_slip_findsTheKey(String word, String key) {
        assertThat(Suggestion.of(word, EntryKey.ALL).nearest()).first().isEqualTo(key);
    }

    @ParameterizedTest
    @CsvSource({"sparsity", "x", "''", "' '", "zzzzzzzzzzzzzzzzzz"})
    void of_farWord_findsNothing(String word) {
        assertThat(Suggestion.of(word, EntryKey.ALL).nearest()).isEmpty();
    }

    @Test
    void of_endOfAPath_findsThePath() {
        assertThat(Suggestion.of("conv1", List.of("features.conv1", "head.fc")).nearest())
                .containsExactly("features.conv1");
    }

    @Test
    void of_manyNear_givesTheThreeNearestInOrder() {
        List<String> names = List.of("layer10", "layer1", "layer2", "layer3", "layer4");

        assertThat(Suggestion.of("layer", names).nearest())
                .containsExactly("layer1", "layer2", "layer3");
    }

    @Test
    void of_swappedNeighbours_countOnce() {
        assertThat(Suggestion.of("nit", List.of("int", "uint")).nearest()).contains("int");
    }

    @Test
    void question_two_joinsThem() {
        assertThat(Suggestion.of("conv3", List.of("conv1", "conv2")).question())
                .isEqualTo(" (did you mean \"conv1\" or \"conv2\"?)");
    }

    @Test
    void question_nothingNear_isEmpty() {
        assertThat(Suggestion.of("conv3", List.of("relu")).question()).isEmpty();
    }
}
