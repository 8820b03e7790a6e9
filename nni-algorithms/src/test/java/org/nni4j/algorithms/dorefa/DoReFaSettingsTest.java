package org.nni4j.algorithms.dorefa;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;

/** What DoReFa's own settings may be. */
class DoReFaSettingsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"variant\": \"papre\"|variant: papre is not supported; expected one of [paper,"
                        + " nni]",
                "\"variant\": true|variant: true is not supported; expected one of [paper, nni]",
                "\"output_gradient\": \"yes\"|output_gradient: yes is not supported; expected true"
                        + " or false",
                "\"output_gradient\": 1|output_gradient: 1 is not supported; expected true or false"
            })
    void setting_ofAnotherValue_isAConfigError(String setting, String message) {
        try (Model model = Networks.smallModel(1)) {
            assertThatThrownBy(() -> quantizer(model, "\"weight\", \"output\"", setting))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining(message);
        }
    }

    @Test
    void outputGradient_withoutOutputs_isAConfigError() {
        try (Model model = Networks.smallModel(1)) {
            assertThatThrownBy(
                            () ->
                                    quantizer(
                                            model,
                                            "\"weight\", \"input\"",
                                            "\"output_gradient\": true"))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("output_gradient: true")
                    .hasMessageContaining("[weight, input]")
                    .hasMessageContaining("expected \"output\" in quant_types");
        }
    }

    @Test
    void outputGradient_false_isForAnyTypes() {
        try (Model model = Networks.smallModel(1)) {
            assertThatCode(
                            () ->
                                    quantizer(model, "\"weight\"", "\"output_gradient\": false")
                                            .close())
                    .doesNotThrowAnyException();
        }
    }

    private static DoReFaQuantizer quantizer(Model model, String types, String setting) {
        return new DoReFaQuantizer(model, config(types, setting), Networks.sgd(.1f));
    }

    private static ConfigList config(String types, String setting) {
        return ConfigList.fromJson(
                """
                [{"quant_types": [%s], "quant_bits": 8, "op_types": ["Conv2d"], "settings": {%s}}]
                """
                        .formatted(types, setting));
    }

    /** A quantizer that is made by name has no listener to give. */
    @Test
    void outputGradient_byTheAlgorithmsName_isAConfigErrorThatNamesTheQuantizer() {
        try (Model model = Networks.smallModel(1)) {
            assertThatThrownBy(
                            () ->
                                    Quantizers.create(
                                            "dorefa",
                                            model,
                                            config("\"output\"", "\"output_gradient\": true"),
                                            Networks.sgd(.1f)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("output_gradient: true")
                    .hasMessageContaining("expected a DoReFaQuantizer");
        }
    }
}
