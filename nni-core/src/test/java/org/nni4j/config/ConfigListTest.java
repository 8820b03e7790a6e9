package org.nni4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.nni4j.config.QuantType.INPUT;
import static org.nni4j.config.QuantType.OUTPUT;
import static org.nni4j.config.QuantType.WEIGHT;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

class ConfigListTest {

    @Test
    void fromJson_quickStart_equalsMapsAndJava() {
        ConfigList maps =
                ConfigList.fromMaps(
                        List.of(
                                Map.of(
                                        "quant_types", List.of("weight", "input"),
                                        "quant_bits", Map.of("weight", 8, "input", 8),
                                        "op_types", List.of("Conv2d", "Linear")),
                                Map.of(
                                        "quant_types",
                                        List.of("output"),
                                        "quant_bits",
                                        8,
                                        "quant_start_step",
                                        7000,
                                        "op_types",
                                        List.of("ReLU")),
                                Map.of("exclude", true, "op_names", List.of("07Linear"))));
        ConfigList java =
                ConfigList.of(
                        ConfigEntry.builder()
                                .quantTypes(WEIGHT, INPUT)
                                .quantBits(8)
                                .opTypes("Conv2d", "Linear")
                                .build(),
                        ConfigEntry.builder()
                                .quantTypes(OUTPUT)
                                .quantBits(8)
                                .quantStartStep(7000)
                                .opTypes("ReLU")
                                .build(),
                        ConfigEntry.builder().exclude().opNames("07Linear").build());

        assertThat(resource("quick-start.json")).isEqualTo(maps).isEqualTo(java);
    }

    @Test
    void fromJson_everyKey_isInTheEntry() {
        ConfigEntry entry = resource("every-key.json").entries().get(0);

        assertThat(entry)
                .isEqualTo(
                        ConfigEntry.builder()
                                .quantTypes(WEIGHT, INPUT, OUTPUT)
                                .quantBits(8)
                                .quantBits(WEIGHT, 4)
                                .opTypes("Conv2d", "Add")
                                .opNames("01Conv2d", "02Residual.Add1")
                                .opNamesRe("features\\..*")
                                .quantStartStep(100)
                                .quantDtype(WEIGHT, QuantizationDtype.INT)
                                .quantDtype(INPUT, QuantizationDtype.UINT)
                                .quantScheme(WEIGHT, QuantizationScheme.PER_CHANNEL_SYMMETRIC)
                                .quantScheme(OUTPUT, QuantizationScheme.PER_TENSOR_AFFINE)
                                .setting(SettingKey.BN_FREEZE_STEP, 200)
                                .setting(SettingKey.OBSERVE_EVERY, 10)
                                .setting(SettingKey.OBSERVER_FREEZE_STEP, 1000)
                                .setting(SettingKey.OBSERVER, "percentile")
                                .setting(SettingKey.PERCENTILE, 99.9)
                                .setting(SettingKey.SHARE_SCALE, true)
                                .setting(SettingKey.REDUCE_RANGE, false)
                                .setting(SettingKey.UNSIGNED, true)
                                .setting("rounds", 3)
                                .setting("big", 3_000_000_000L)
                                .setting("alpha", 0.5f)
                                .setting("mode", "slow")
                                .setting("warm", true)
                                .build());
        assertThat(entry.settings().keySet())
                .containsAll(SettingKey.keys())
                .contains("rounds", "big", "alpha", "mode", "warm");
    }

    @Test
    void fromJson_absentKeys_leaveDefaultsToTheQuantizer() {
        ConfigEntry entry = resource("quick-start.json").entries().get(0);

        assertThat(entry.quantStartStep()).isZero();
        assertThat(entry.quantDtype()).isEmpty();
        assertThat(entry.quantScheme()).isEmpty();
        assertThat(entry.settings()).isEmpty();
        assertThat(entry.exclude()).isFalse();
    }

    @Test
    void fromMaps_excludeFalse_doesNotExclude() {
        // NNI 2.x excludes whenever the key is there.
        ConfigList list =
                ConfigList.fromMaps(
                        List.of(
                                Map.of(
                                        "quant_types",
                                        List.of("weight"),
                                        "quant_bits",
                                        8,
                                        "op_types",
                                        List.of("Conv2d"),
                                        "exclude",
                                        false)));

        assertThat(list.entries().get(0).exclude()).isFalse();
    }

    @Test
    void fromMaps_oneBit_isAccepted() {
        // Which schemes have no 1-bit form is for the algorithm to say.
        ConfigEntry entry =
                ConfigEntry.builder().quantTypes(WEIGHT).quantBits(1).opTypes("Linear").build();

        assertThat(entry.quantBits()).containsExactly(Map.entry(WEIGHT, 1));
    }

    @Test
    void fromMaps_bitsForTypesNotRequested_areKept() {
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.of("weight"),
                        "quant_bits", Map.of("weight", 4, "output", 8),
                        "op_types", List.of("Linear"));

        ConfigList list = ConfigList.fromMaps(List.of(entry));

        assertThat(list.entries().get(0).quantBits()).isEqualTo(Map.of(WEIGHT, 4, OUTPUT, 8));
        assertThat(ConfigList.fromJson(list.toJson())).isEqualTo(list);
    }

    @Test
    void fromMaps_javaArraysAndNumbers_areRead() {
        Map<String, Object> entry =
                Map.of(
                        "quant_types",
                        new String[] {"weight"},
                        "quant_bits",
                        (short) 8,
                        "op_types",
                        Collections.singleton("Conv2d"));

        assertThat(ConfigList.fromMaps(List.of(entry)))
                .isEqualTo(
                        ConfigList.of(
                                ConfigEntry.builder()
                                        .quantTypes(WEIGHT)
                                        .quantBits(8)
                                        .opTypes("Conv2d")
                                        .build()));
    }

    @Test
    void fromMaps_javaObject_isRefusedByClass() {
        Map<String, Object> entry = Map.of("exclude", true, "op_names", List.of(WEIGHT));

        assertThatThrownBy(() -> ConfigList.fromMaps(List.of(entry)))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "config[0].op_names[0]: org.nni4j.config.QuantType is no config value;"
                                + " expected a string");
    }

    @Test
    void fromMaps_notANumber_isRefused() {
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.of("weight"),
                        "quant_bits", Double.NaN,
                        "op_types", List.of("Conv2d"),
                        "settings", Map.of("alpha", Double.POSITIVE_INFINITY));

        assertThatThrownBy(() -> ConfigList.fromMaps(List.of(entry)))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "config list: 2 problems\n"
                                + "  config[0].quant_bits: NaN is not a whole number; expected"
                                + " 1..16\n"
                                + "  config[0].settings.alpha: Infinity is not a finite double;"
                                + " expected one");
    }

    @Test
    void of_noEntries_throws() {
        assertThatThrownBy(ConfigList::of)
                .isInstanceOf(ConfigException.class)
                .hasMessage("config: the list is empty; expected at least one entry");
    }

    @Test
    void entries_afterTheSourceChanges_stay() {
        List<String> names = new ArrayList<>(List.of("a"));
        List<ConfigEntry> entries =
                new ArrayList<>(List.of(ConfigEntry.builder().exclude().opNames(names).build()));
        ConfigList list = new ConfigList(entries);

        entries.clear();
        names.add("b");

        assertThat(list.entries()).hasSize(1);
        assertThat(list.entries().get(0).opNames()).containsExactly("a");
        assertThatThrownBy(() -> list.entries().clear())
                .isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> list.entries().get(0).opNames().clear())
                .isInstanceOf(UnsupportedOperationException.class);
    }

    private static ConfigList resource(String name) {
        try {
            return ConfigList.fromJson(
                    Path.of(
                            Objects.requireNonNull(ConfigListTest.class.getResource(name))
                                    .toURI()));
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
