package org.nni4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.nni4j.config.QuantType.INPUT;
import static org.nni4j.config.QuantType.WEIGHT;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ConfigEntryTest {

    @Test
    void build_empty_namesWhatIsMissing() {
        assertThatThrownBy(() -> ConfigEntry.builder().build())
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "config list: 2 problems\n"
                                + "  entry: selects no layers; expected op_types, op_names or"
                                + " op_names_re\n"
                                + "  entry: says nothing to do; expected quant_types and"
                                + " quant_bits, or \"exclude\": true");
    }

    @Test
    void build_severalMistakes_reportsAll() {
        ConfigEntryBuilder builder =
                ConfigEntry.builder()
                        .quantTypes(WEIGHT, INPUT, WEIGHT)
                        .quantBits(WEIGHT, 17)
                        .opNames("a", "a")
                        .opNamesRe("[")
                        .quantStartStep(-1)
                        .setting(SettingKey.OBSERVE_EVERY, "often")
                        .setting("op_name", List.of());

        assertThatThrownBy(builder::build)
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "config list: 8 problems\n"
                                + "  entry.quant_types[2]: \"weight\" is already"
                                + " entry.quant_types[0]; expected each string once\n"
                                + "  entry.quant_bits.weight: 17 bits is not supported; expected"
                                + " 1..16\n"
                                + "  entry.op_names[1]: \"a\" is already entry.op_names[0];"
                                + " expected each string once\n"
                                + "  entry.op_names_re[0]: \"[\" is not a regular expression:"
                                + " Unclosed character class at character 0\n"
                                + "  entry.quant_start_step: -1 is not supported; expected"
                                + " 0..2147483647\n"
                                + "  entry.observe_every: \"often\" is a string; expected a whole"
                                + " number 1..2147483647\n"
                                + "  entry.settings.op_name: [] is an array; expected a string,"
                                + " number or boolean\n"
                                + "  entry.quant_bits.input: missing, but quant_types asks for it;"
                                + " expected 1..16");
    }

    @Test
    void constructor_mistake_throwsLikeTheBuilder() {
        assertThatThrownBy(
                        () ->
                                new ConfigEntry(
                                        Set.of(WEIGHT),
                                        Map.of(WEIGHT, 17),
                                        Set.of("Conv2d"),
                                        Set.of(),
                                        List.of(),
                                        false,
                                        0,
                                        Map.of(),
                                        Map.of(),
                                        Map.of("quant_bits", 8)))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "config list: 2 problems\n"
                                + "  entry.quant_bits: 17 bits is not supported; expected 1..16\n"
                                + "  entry.settings.quant_bits: \"quant_bits\" belongs in the entry"
                                + " itself, not in its settings");
    }

    @Test
    void constructor_numbersOfOtherClasses_becomeTheStatedOnes() {
        ConfigEntry entry =
                ConfigEntry.builder()
                        .exclude()
                        .opNames("a")
                        .setting(SettingKey.PERCENTILE, 99)
                        .setting(SettingKey.OBSERVE_EVERY, 2.0)
                        .setting("alpha", 0.1f)
                        .setting("rounds", 3L)
                        .build();

        assertThat(entry.settings())
                .isEqualTo(
                        Map.of("percentile", 99.0, "observe_every", 2, "alpha", 0.1, "rounds", 3));
    }
}
