package org.nni4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.ToNumberPolicy;
import com.google.gson.reflect.TypeToken;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every mistake has its message, the same one from JSON and from maps. */
class ConfigListErrorsTest {

    private static final Gson GSON =
            new GsonBuilder()
                    .serializeNulls()
                    .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
                    .create();

    private static final String VALID_KEYS =
            "valid keys: [quant_types, quant_bits, op_types, op_names, op_names_re, exclude,"
                    + " quant_start_step, quant_dtype, quant_scheme, settings, bn_freeze_step,"
                    + " observe_every, observer_freeze_step, observer, percentile, share_scale,"
                    + " reduce_range, unsigned]";
    private static final String NO_LAYERS =
            "config[0]: selects no layers; expected op_types, op_names or op_names_re";
    private static final String NOTHING_TO_DO =
            "config[0]: says nothing to do; expected quant_types and quant_bits, or \"exclude\":"
                    + " true";
    private static final String NO_BITS =
            "config[0].quant_bits: missing beside quant_types; expected a whole number 1..16, or"
                    + " one for each quant type";
    private static final String NO_TYPES =
            "config[0].quant_types: missing beside quant_bits; expected an array of quant types,"
                    + " one of [weight, input, output]";

    @ParameterizedTest(name = "{0}")
    @MethodSource({"nniBadConfigs", "keys", "types", "bits", "selections", "choices", "settings"})
    void fromJson_mistakes_nameEach(String json, List<String> problems) {
        ConfigException e =
                catchThrowableOfType(ConfigException.class, () -> ConfigList.fromJson(json));

        assertThat(e.problems().stream().map(ConfigProblem::toString))
                .containsExactlyElementsOf(problems);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"nniBadConfigs", "keys", "types", "bits", "selections", "choices", "settings"})
    void fromMaps_mistakes_nameEach(String json, List<String> problems) {
        List<Map<String, Object>> maps = GSON.fromJson(json, new TypeToken<>() {});

        ConfigException e =
                catchThrowableOfType(ConfigException.class, () -> ConfigList.fromMaps(maps));

        assertThat(e.problems().stream().map(ConfigProblem::toString))
                .containsExactlyElementsOf(problems);
    }

    /** NNI's test_compressor_torch.py, test_quantization_config_validation. */
    static Stream<Arguments> nniBadConfigs() {
        return Stream.of(
                bad(
                        "[{'bad_key': 'abc'}]",
                        "config[0].bad_key: unknown key \"bad_key\"; " + VALID_KEYS,
                        NO_LAYERS,
                        NOTHING_TO_DO),
                bad(
                        "[{'quant_types': 'abc'}]",
                        "config[0].quant_types: \"abc\" is a string; expected an array such as"
                                + " [\"weight\"]",
                        NO_LAYERS,
                        NO_BITS),
                bad(
                        "[{'quant_bits': 34}]",
                        "config[0].quant_bits: 34 bits is not supported; expected 1..16",
                        NO_LAYERS,
                        NO_TYPES),
                bad(
                        "[{'op_types': 'default'}]",
                        "config[0].op_types: \"default\" is a string; expected an array such as"
                                + " [\"Conv2d\"]",
                        NOTHING_TO_DO),
                bad(
                        "[{'quant_bits': {'abc': 123}}]",
                        "config[0].quant_bits.abc: unknown quant type \"abc\"; available: [weight,"
                                + " input, output]",
                        NO_LAYERS,
                        NO_TYPES));
    }

    static Stream<Arguments> keys() {
        return Stream.of(
                bad("[]", "config: the list is empty; expected at least one entry"),
                withWeight(
                        "'quant_bit': 8",
                        "config[0].quant_bit: unknown key \"quant_bit\" (did you mean"
                                + " \"quant_bits\"?); "
                                + VALID_KEYS),
                withWeight(
                        "'bits': 8",
                        "config[0].bits: unknown key \"bits\" (did you mean \"quant_bits\"?); "
                                + VALID_KEYS),
                withWeight(
                        "'sparsity': 0.5",
                        "config[0].sparsity: unknown key \"sparsity\"; " + VALID_KEYS),
                withWeight(
                        "'op types\\n': 8",
                        "config[0][\"op types\\u000a\"]: unknown key \"op types\\u000a\" (did you"
                                + " mean \"op_types\"?); "
                                + VALID_KEYS),
                withWeight(
                        "'exclude': 'no'",
                        "config[0].exclude: \"no\" is a string; expected true or false"),
                withWeight(
                        "'exclude': 1", "config[0].exclude: 1 is a number; expected true or false"),
                withWeight(
                        "'quant_start_step': -1",
                        "config[0].quant_start_step: -1 is not supported; expected 0..2147483647"),
                withWeight(
                        "'quant_start_step': 1.5",
                        "config[0].quant_start_step: 1.5 is not a whole number; expected"
                                + " 0..2147483647"));
    }

    static Stream<Arguments> types() {
        return Stream.of(
                bad(
                        "[{'quant_types': 'weight', 'quant_bits': 8, 'op_types': ['Conv2d']}]",
                        "config[0].quant_types: \"weight\" is a string; expected an array:"
                                + " [\"weight\"]"),
                bad(
                        "[{'quant_types': 8, 'quant_bits': 8, 'op_types': ['Conv2d']}]",
                        "config[0].quant_types: 8 is a number; expected an array of strings"),
                bad(
                        "[{'quant_types': [], 'quant_bits': 8, 'op_types': ['Conv2d']}]",
                        "config[0].quant_types: [] is empty; expected at least one string"),
                bad(
                        "[{'quant_types': ['wieght', 5, 'input', 'input', 'bias'], 'quant_bits': 8,"
                                + " 'op_types': ['Conv2d']}]",
                        "config[0].quant_types[0]: unknown quant type \"wieght\" (did you mean"
                                + " \"weight\"?); available: [weight, input, output]",
                        "config[0].quant_types[1]: 5 is a number; expected a string",
                        "config[0].quant_types[3]: \"input\" is already config[0].quant_types[2];"
                                + " expected each string once",
                        "config[0].quant_types[4]: unknown quant type \"bias\"; available: [weight,"
                                + " input, output]"),
                bad("[{'quant_types': ['weight'], 'op_types': ['Conv2d']}]", NO_BITS),
                bad("[{'quant_bits': 8, 'op_types': ['Conv2d']}]", NO_TYPES),
                bad("[{'op_types': ['Conv2d']}]", NOTHING_TO_DO),
                bad(
                        "[{'op_types': ['Conv2d'], 'exclude': false}]",
                        "config[0]: says nothing to do (\"exclude\": false does not exclude);"
                                + " expected quant_types and quant_bits, or \"exclude\": true"));
    }

    static Stream<Arguments> bits() {
        return Stream.of(
                bad(
                        "[{'exclude': true, 'op_types': ['ReLU']}, {'exclude': true, 'op_types':"
                                + " ['ReLU']}, {'quant_types': ['weight'], 'quant_bits': {'weight':"
                                + " 17}, 'op_types': ['Conv2d']}]",
                        "config[2].quant_bits.weight: 17 bits is not supported; expected 1..16"),
                withBits("0", "config[0].quant_bits: 0 bits is not supported; expected 1..16"),
                withBits("-8", "config[0].quant_bits: -8 bits is not supported; expected 1..16"),
                withBits("8.5", "config[0].quant_bits: 8.5 is not a whole number; expected 1..16"),
                withBits(
                        "'8'",
                        "config[0].quant_bits: \"8\" is a string; expected a whole number 1..16"),
                withBits(
                        "true",
                        "config[0].quant_bits: true is a boolean; expected a whole number 1..16"),
                withBits(
                        "null",
                        "config[0].quant_bits: null is no config value; expected a whole number"
                                + " 1..16"),
                withBits(
                        "[8, 8]",
                        "config[0].quant_bits: [8, 8] is an array; expected a whole number 1..16"),
                withBits(
                        "{}",
                        "config[0].quant_bits: {} is empty; expected at least one quant type"),
                withBits(
                        "{'input': 8}",
                        "config[0].quant_bits.weight: missing, but quant_types asks for it;"
                                + " expected 1..16"),
                withBits(
                        "{'weight': 8, 'outputs': 8}",
                        "config[0].quant_bits.outputs: unknown quant type \"outputs\" (did you mean"
                                + " \"output\"?); available: [weight, input, output]"),
                withBits(
                        "{'weight': 8, 'input': 99}",
                        "config[0].quant_bits.input: 99 bits is not supported; expected 1..16"));
    }

    static Stream<Arguments> selections() {
        String weight = "[{'quant_types': ['weight'], 'quant_bits': 8";
        return Stream.of(
                bad(weight + "}]", NO_LAYERS),
                bad(
                        weight + ", 'op_types': []}]",
                        "config[0].op_types: [] is empty; expected at least one string"),
                bad(
                        weight + ", 'op_types': ['default']}]",
                        "config[0].op_types[0]: \"default\" stands for no layer types here;"
                                + " expected types by name, such as \"Conv2d\" or \"Linear\""),
                bad(
                        weight + ", 'op_names': 'conv1'}]",
                        "config[0].op_names: \"conv1\" is a string; expected an array:"
                                + " [\"conv1\"]"),
                bad(
                        weight + ", 'op_names': {'conv1': true}}]",
                        "config[0].op_names: {\"conv1\": true} is an object; expected an array of"
                                + " strings"),
                bad(
                        weight + ", 'op_names': ['a', ' ', null, 'a']}]",
                        "config[0].op_names[1]: \" \" is blank; expected a name",
                        "config[0].op_names[2]: null is no config value; expected a string",
                        "config[0].op_names[3]: \"a\" is already config[0].op_names[0]; expected"
                                + " each string once"),
                bad(
                        weight + ", 'op_names_re': ['conv.*', 'conv(']}]",
                        "config[0].op_names_re[1]: \"conv(\" is not a regular expression: Unclosed"
                                + " group at character 5"),
                bad(
                        weight + ", 'op_names_re': ['" + "a".repeat(257) + "']}]",
                        "config[0].op_names_re[0]: a string of 257 characters; expected at most"
                                + " 256"));
    }

    static Stream<Arguments> choices() {
        String schemes =
                "available: [per_tensor_affine, per_tensor_symmetric, per_channel_affine,"
                        + " per_channel_symmetric]";
        return Stream.of(
                withWeight(
                        "'quant_dtype': 'unit'",
                        "config[0].quant_dtype: unknown dtype \"unit\" (did you mean \"uint\"?);"
                                + " available: [int, uint]"),
                withWeight(
                        "'quant_dtype': {'weight': 8}",
                        "config[0].quant_dtype.weight: 8 is a number; expected one of [int, uint]"),
                withWeight(
                        "'quant_scheme': 'per_chanel_affine'",
                        "config[0].quant_scheme: unknown scheme \"per_chanel_affine\" (did you mean"
                                + " \"per_channel_affine\"?); "
                                + schemes),
                withWeight(
                        "'quant_scheme': {'weights': 'affine'}",
                        "config[0].quant_scheme.weights: unknown quant type \"weights\" (did you"
                                + " mean \"weight\"?); available: [weight, input, output]"),
                withWeight(
                        "'quant_scheme': {'output': 'linear'}",
                        "config[0].quant_scheme.output: unknown scheme \"linear\"; " + schemes),
                withWeight(
                        "'quant_dtype': {}",
                        "config[0].quant_dtype: {} is empty; expected at least one quant type"));
    }

    static Stream<Arguments> settings() {
        return Stream.of(
                withWeight(
                        "'observer': 'minmax'",
                        "config[0].observer: unknown observer \"minmax\" (did you mean"
                                + " \"min_max\"?); available: [min_max, ema, percentile, histogram,"
                                + " entropy, mse]"),
                withWeight(
                        "'percentile': 50",
                        "config[0].percentile: 50 is not supported; expected above 50 and at most"
                                + " 100"),
                withWeight(
                        "'percentile': '99'",
                        "config[0].percentile: \"99\" is a string; expected a number above 50 and"
                                + " at most 100"),
                withWeight(
                        "'observe_every': 0",
                        "config[0].observe_every: 0 is not supported; expected 1..2147483647"),
                withWeight(
                        "'observer_freeze_step': 3000000000",
                        "config[0].observer_freeze_step: 3000000000 is not supported; expected"
                                + " 0..2147483647"),
                withWeight(
                        "'bn_freeze_step': 'never'",
                        "config[0].bn_freeze_step: \"never\" is a string; expected a whole number"
                                + " 0..2147483647"),
                withWeight(
                        "'share_scale': 'yes'",
                        "config[0].share_scale: \"yes\" is a string; expected true or false"),
                withWeight(
                        "'reduce_range': 7",
                        "config[0].reduce_range: 7 is a number; expected true or false"),
                withWeight(
                        "'unsigned': 0",
                        "config[0].unsigned: 0 is a number; expected true or false"),
                withWeight(
                        "'settings': 3",
                        "config[0].settings: 3 is a number; expected an object of settings"),
                withWeight(
                        "'settings': {}",
                        "config[0].settings: {} is empty; expected at least one setting"),
                withWeight(
                        "'settings': {'rounds': [1], 'observe_every': 2}",
                        "config[0].settings.rounds: [1] is an array; expected a string, number or"
                                + " boolean",
                        "config[0].settings.observe_every: \"observe_every\" belongs in the entry"
                                + " itself, not in its settings"));
    }

    private static Arguments withWeight(String member, String... problems) {
        return bad(
                "[{'quant_types': ['weight'], 'quant_bits': 8, 'op_types': ['Conv2d'], "
                        + member
                        + "}]",
                problems);
    }

    private static Arguments withBits(String bits, String... problems) {
        return bad(
                "[{'quant_types': ['weight'], 'op_types': ['Conv2d'], 'quant_bits': " + bits + "}]",
                problems);
    }

    private static Arguments bad(String json, String... problems) {
        return arguments(json.replace('\'', '"'), List.of(problems));
    }
}
