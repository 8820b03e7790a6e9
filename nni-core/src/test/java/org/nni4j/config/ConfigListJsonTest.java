package org.nni4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigListJsonTest {

    private static final String GOOD =
            "[{\"quant_types\": [\"weight\"], \"quant_bits\": 8, \"op_types\": [\"Conv2d\"]}]";

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|config: {} is an object; expected an array of entries",
                "\"x\"|config: \"x\" is a string; expected an array of entries",
                "[{\"exclude\": tru}]|config[0].exclude: not valid JSON at line 1 column 14:"
                        + " unexpected text",
                "[{\"exclude\": true, \"exclude\": false, \"op_types\":"
                        + " [\"A\"]}]|config[0].exclude: the key is given twice, again with false;"
                        + " expected each key once",
                "[{\"quant_bits\": NaN}]|config[0].quant_bits: not valid JSON at line 1 column 17:"
                        + " unexpected text",
                "[{\"quant_bits\": 8,|config[0]: not valid JSON at line 1 column 19: end of input",
                "[{'quant_bits': 8}]|config[0]: not valid JSON at line 1 column 4: unexpected text",
                "[{\"op_types\": [\"A\",]}]|config[0].op_types: not valid JSON at line 1 column 21:"
                        + " unexpected text",
                "[] []|config: data after the end of the list; expected nothing",
                "[] x|config: data after the end of the list; expected nothing",
                "[{\"op_types\": [\"\\ud800\"]}]|config[0].op_types[0]: unpaired surrogate \\ud800"
                        + " at character 0; expected Unicode text",
                "``|config: the text is empty; expected a JSON array of entries",
            })
    void fromJson_notJson_saysWhere(String json, String message) {
        assertThatThrownBy(() -> ConfigList.fromJson(json))
                .isInstanceOf(ConfigException.class)
                .hasMessage(message);
    }

    @Test
    void fromJson_wholeNumberWithFractionZero_isRead() {
        // JSON libraries that know only doubles write 8.0.
        ConfigList list = ConfigList.fromJson(GOOD.replace("8", "8.0"));

        assertThat(list).isEqualTo(ConfigList.fromJson(GOOD));
    }

    @Test
    void fromJson_fileWithProblems_namesFileAndEach() throws IOException {
        Path file = write("lists.json", "[{\"op_types\": [\"A\"]}, {\"exclude\": true}]");

        assertThatThrownBy(() -> ConfigList.fromJson(file))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        file
                                + ": 2 problems\n"
                                + "  config[0]: says nothing to do; expected quant_types and"
                                + " quant_bits, or \"exclude\": true\n"
                                + "  config[1]: selects no layers; expected op_types, op_names or"
                                + " op_names_re");
    }

    @Test
    void fromJson_fileWithOneProblem_namesFile() throws IOException {
        Path file = write("list.json", "[]");

        assertThatThrownBy(() -> ConfigList.fromJson(file))
                .hasMessage(file + ": config: the list is empty; expected at least one entry");
    }

    @Test
    void fromJson_missingFile_namesFile() {
        Path file = folder.resolve("missing.json");

        assertThatThrownBy(() -> ConfigList.fromJson(file))
                .isInstanceOf(ConfigException.class)
                .hasMessage(file + ": no such file; expected a JSON array of entries");
    }

    @Test
    void fromJson_folder_isConfigException() {
        assertThatThrownBy(() -> ConfigList.fromJson(folder))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(folder + ": cannot be read: ");
    }

    @Test
    void fromJson_fileNotUtf8_isConfigException() throws IOException {
        Path file = folder.resolve("latin1.json");
        Files.write(file, GOOD.replace("Conv2d", "é").getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> ConfigList.fromJson(file))
                .isInstanceOf(ConfigException.class)
                .hasMessage(file + ": not valid UTF-8; expected JSON text in UTF-8");
    }

    @Test
    void fromJson_fileWithByteOrderMark_isRead() throws IOException {
        assertThat(ConfigList.fromJson(write("bom.json", "\ufeff" + GOOD)))
                .isEqualTo(ConfigList.fromJson(GOOD));
    }

    @Test
    void toJson_smallList_isReadable() {
        assertThat(ConfigList.fromJson(GOOD).toJson())
                .isEqualTo(
                        """
                        [
                          {
                            "quant_types": ["weight"],
                            "quant_bits": 8,
                            "op_types": ["Conv2d"]
                          }
                        ]
                        """);
    }

    private Path write(String name, String json) throws IOException {
        return Files.writeString(folder.resolve(name), json);
    }
}
