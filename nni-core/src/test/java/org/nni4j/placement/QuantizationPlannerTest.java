package org.nni4j.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.convolutional.Conv2dTranspose;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.recurrent.LSTM;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.algorithm.RoundingAlgorithm;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.QuantType;
import org.nni4j.layer.LayerTree;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/** The plan: who decides what, what is left alone and why, and what cannot be done. */
class QuantizationPlannerTest {

    private final Linear shared = Linear.builder().setUnits(3).build();
    private final SequentialBlock network =
            new SequentialBlock()
                    .add(Conv2d.builder().setFilters(2).setKernelShape(new Shape(3, 3)).build())
                    .add(BatchNorm.builder().build())
                    .add(Activation.reluBlock())
                    .add(
                            new SequentialBlock()
                                    .add(Blocks.batchFlattenBlock())
                                    .add(Linear.builder().setUnits(3).build()))
                    .add(shared)
                    .add(shared);

    private QuantizationPlan plan(String json) {
        return plan(network, json);
    }

    private static QuantizationPlan plan(Block block, String json) {
        return new QuantizationPlanner(new RoundingAlgorithm(), null, "ndarray")
                .plan(LayerTree.of(block), ConfigList.fromJson(json), null);
    }

    private void assertRefused(String json, String... problems) {
        assertThatThrownBy(() -> plan(json))
                .isInstanceOf(ConfigException.class)
                .satisfies(
                        e ->
                                assertThat(((ConfigException) e).problems())
                                        .extracting(Object::toString)
                                        .containsExactly(problems));
    }

    @Test
    void toString_plan_isTheGoldenTable() {
        QuantizationPlan plan =
                plan(
                        """
                        [{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["Linear"]},
                         {"quant_types": ["weight", "input"], "quant_bits": {"weight": 4, "input": 8},
                          "op_types": ["Conv2d", "Linear", "GRU"], "quant_start_step": 100,
                          "quant_scheme": {"weight": "per_channel_symmetric"},
                          "quant_dtype": {"input": "uint"}},
                         {"op_names": ["04SequentialBlock.02Linear"], "exclude": true}]
                        """);
        assertThat(plan)
                .hasToString(
                        """
                        algorithm rounding, kernels ndarray: 2 of 6 layers quantized
                        layer     type    tensor  bits  dtype  scheme                 start  decided by
                        01Conv2d  Conv2d  weight  4     int    per_channel_symmetric  100    config[1]
                        01Conv2d  Conv2d  input   8     uint   per_tensor_symmetric   100    config[1]
                        05Linear  Linear  weight  4     int    per_channel_symmetric  100    config[1]
                        05Linear  Linear  input   8     uint   per_tensor_symmetric   100    config[1]
                        left alone
                          02BatchNorm                      BatchNorm     no entry matches
                          03LambdaBlock                    ReLU          no entry matches
                          04SequentialBlock.01LambdaBlock  batchFlatten  no entry matches
                          04SequentialBlock.02Linear       Linear        excluded by config[2]
                        note: layer "05Linear" is also used as [06Linear]; it is quantized once, under its first name
                        note: config[0] has no effect: later entries decide all 2 layers it matches
                        note: config[1].op_types: the network has no layer of type "GRU"; it has [BatchNorm, Conv2d, Linear, ReLU, SequentialBlock, batchFlatten]
                        """);
    }

    @Test
    void plan_patternThatTakesTooLong_isOneProblemAmongOthers() {
        Block deep = Blocks.batchFlattenBlock();
        for (int i = 0; i < 8; i++) {
            deep = new SequentialBlock().add(deep);
        }
        SequentialBlock root = new SequentialBlock().add(deep);
        assertThatThrownBy(
                        () ->
                                plan(
                                        root,
                                        """
                                        [{"quant_types": ["input"], "quant_bits": 8,
                                          "op_names_re": ["(.*[a-z]){12}!"]},
                                         {"exclude": true, "op_names": ["nobody"]}]
                                        """))
                .isInstanceOf(ConfigException.class)
                .satisfies(
                        e -> {
                            List<ConfigProblem> problems = ((ConfigException) e).problems();
                            assertThat(problems)
                                    .extracting(ConfigProblem::path)
                                    .containsExactly("config[0].op_names_re", "config[1].op_names");
                            assertThat(problems.get(0).message())
                                    .startsWith("\"(.*[a-z]){12}!\" takes too long on \"01Seq");
                        });
    }

    @Test
    void plan_network_isNotChanged() {
        List<Block> before = List.copyOf(network.getChildren().values());
        plan("[{\"quant_types\": [\"weight\"], \"quant_bits\": 8, \"op_types\": [\"Linear\"]}]");
        assertThat(network.getChildren().values()).containsExactlyElementsOf(before);
        assertThat(network.isInitialized()).isFalse();
    }

    @Test
    void plan_lastMatchingEntry_winsWhole() {
        QuantizationPlan plan =
                plan(
                        """
                        [{"quant_types": ["weight", "input"], "quant_bits": 8, "op_types": ["Linear"],
                          "quant_start_step": 7},
                         {"quant_types": ["weight"], "quant_bits": 4, "op_names": ["05Linear"]},
                         {"op_types": ["Linear"], "op_names_re": [".*SequentialBlock.*"],
                          "exclude": true},
                         {"quant_types": ["input"], "quant_bits": 2,
                          "op_names": ["04SequentialBlock.02Linear"]}]
                        """);
        PlannedLayer decided = plan.quantizedLayers().get(1);
        assertThat(decided.path()).isEqualTo("05Linear");
        assertThat(decided.points()).hasSize(1);
        assertThat(decided.points().get(0).startStep()).isZero();
        // A later entry takes back in what an earlier one excluded.
        PlannedLayer back = plan.quantizedLayers().get(0);
        assertThat(back.point(QuantType.INPUT)).map(p -> p.type().bits()).contains(2);
    }

    @Test
    void plan_aliasOfASharedLayer_isAName() {
        QuantizationPlan plan =
                plan(
                        "[{\"quant_types\": [\"weight\"], \"quant_bits\": 8, \"op_names\":"
                                + " [\"06Linear\"]}]");
        assertThat(plan.quantizedLayers())
                .extracting(PlannedLayer::path)
                .containsExactly("05Linear");
    }

    @Test
    void plan_typesAndNames_mustBothHold() {
        assertRefused(
                """
                [{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["Conv2d"],
                  "op_names": ["05Linear"]}]
                """,
                "config: no layer would be quantized; the network's layer types are [BatchNorm,"
                    + " Conv2d, Linear, ReLU, SequentialBlock, batchFlatten] (config[0] matches no"
                    + " layer: op_types and names must hold together)");
    }

    @Test
    void plan_nameOfNoLayer_isAnErrorWithTheNearest() {
        assertRefused(
                """
                [{"quant_types": ["weight"], "quant_bits": 8,
                  "op_names": ["05Linaer", "04SequentialBlock.02Linear", "nowhere near"]}]
                """,
                "config[0].op_names: no layer is named \"05Linaer\" (did you mean \"05Linear\" or"
                        + " \"06Linear\"?)",
                "config[0].op_names: no layer is named \"nowhere near\"; the first of its 8 layers"
                        + " are [01Conv2d, 02BatchNorm, 03LambdaBlock, 04SequentialBlock,"
                        + " 04SequentialBlock.01LambdaBlock]");
    }

    @Test
    void plan_patternOfNoLayer_isAnError() {
        assertRefused(
                "[{\"quant_types\": [\"weight\"], \"quant_bits\": 8, \"op_names_re\": [\"x.*\"]}]",
                "config[0].op_names_re: no layer's name matches \"x.*\"");
    }

    @Test
    void plan_typeOfNoLayer_isAnErrorOnlyIfNothingIsLeft() {
        assertRefused(
                "[{\"quant_types\": [\"weight\"], \"quant_bits\": 8, \"op_types\": [\"Conv3d\"]}]",
                "config: no layer would be quantized; the network's layer types are [BatchNorm,"
                    + " Conv2d, Linear, ReLU, SequentialBlock, batchFlatten] (config[0].op_types:"
                    + " the network has no layer of type \"Conv3d\"; it has [BatchNorm, Conv2d,"
                    + " Linear, ReLU, SequentialBlock, batchFlatten])");
    }

    @Test
    void plan_everythingExcluded_isAnError() {
        assertRefused(
                "[{\"op_names\": [\"05Linear\"], \"exclude\": true}]",
                "config: no layer would be quantized; the network's layer types are [BatchNorm,"
                        + " Conv2d, Linear, ReLU, SequentialBlock, batchFlatten]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            textBlock =
                    """
                    "quant_bits": 9|config[0].quant_bits.weight: 9 bits is not supported by algorithm "rounding"; expected 2..8
                    "quant_bits": 1|config[0].quant_bits.weight: 1 bits is not supported by algorithm "rounding"; expected 2..8
                    "quant_bits": 3|config[0]: layer "05Linear" (Linear), weight weight: 3 bits is odd; expected an even number
                    "quant_bits": 8, "quant_scheme": "per_tensor_affine"|config[0].quant_scheme.weight: "per_tensor_affine" is not supported by algorithm "rounding"; expected [per_channel_symmetric, per_tensor_symmetric]
                    "quant_bits": 8, "observe_every": 2|config[0].observe_every: is not supported by algorithm "rounding"; expected [observer]
                    """)
    void plan_beyondTheAlgorithm_isRefused(String keys, String problem) {
        assertRefused(
                "[{\"quant_types\": [\"weight\"], \"op_names\": [\"05Linear\"], " + keys + "}]",
                problem);
    }

    @Test
    void plan_severalMistakes_areReportedTogether() {
        assertRefused(
                """
                [{"quant_types": ["output"], "quant_bits": 8, "op_types": ["Linear"]},
                 {"quant_types": ["weight"], "quant_bits": 16, "op_names": ["05Linear"]},
                 {"quant_types": ["weight"], "quant_bits": 8, "op_names": ["nonsense", "02BatchNorm"]}]
                """,
                "config[0].quant_types: \"output\" is not supported by algorithm \"rounding\";"
                        + " expected [weight, input]",
                "config[1].quant_bits.weight: 16 bits is not supported by algorithm \"rounding\";"
                        + " expected 2..8",
                "config[2].op_names: no layer is named \"nonsense\"; the first of its 8 layers are"
                        + " [01Conv2d, 02BatchNorm, 03LambdaBlock, 04SequentialBlock,"
                        + " 04SequentialBlock.01LambdaBlock]",
                "config[2].quant_types: layer \"02BatchNorm\" (BatchNorm) has no weight; leave"
                        + " \"weight\" out or give layers of this type an entry of their own");
    }

    @Test
    void plan_defaults_holdWhereTheEntryIsSilentAndTheAlgorithmAllows() {
        String json =
                "[{\"quant_types\": [\"weight\"], \"quant_bits\": 8, \"op_types\": [\"Linear\"]}]";
        QuantizationDefaults unsigned =
                QuantizationDefaults.uniform(
                        QuantizationDtype.UINT, QuantizationScheme.PER_CHANNEL_SYMMETRIC);
        QuantizationPoint point = point(unsigned, json);
        assertThat(point.type().dtype()).isEqualTo(QuantizationDtype.UINT);
        assertThat(point.scheme()).isEqualTo(QuantizationScheme.PER_CHANNEL_SYMMETRIC);
        // NNI's affine default is none of this algorithm's schemes.
        QuantizationPoint own = point(QuantizationDefaults.nni(), json);
        assertThat(own.scheme()).isEqualTo(QuantizationScheme.PER_TENSOR_SYMMETRIC);
    }

    private QuantizationPoint point(QuantizationDefaults defaults, String json) {
        return new QuantizationPlanner(new RoundingAlgorithm(), defaults, "ndarray")
                .plan(LayerTree.of(network), ConfigList.fromJson(json), null)
                .quantizedLayers()
                .get(0)
                .points()
                .get(0);
    }

    @Test
    void plan_channelAxis_isWhereTheLayerKeepsItsChannels() {
        Block block =
                new SequentialBlock()
                        .add(
                                Conv2dTranspose.builder()
                                        .setFilters(2)
                                        .setKernelShape(new Shape(3, 3))
                                        .build())
                        .add(LSTM.builder().setStateSize(2).setNumLayers(1).build());
        QuantizationPlan plan =
                plan(
                        block,
                        """
                        [{"quant_types": ["weight", "input"], "quant_bits": 8,
                          "op_types": ["Conv2dTranspose", "LSTM"]}]
                        """);
        List<PlannedLayer> layers = plan.quantizedLayers();
        assertThat(layers.get(0).points(QuantType.WEIGHT).get(0).channelAxis()).isEqualTo(1);
        assertThat(layers.get(0).points(QuantType.INPUT).get(0).channelAxis()).isEqualTo(1);
        assertThat(layers.get(1).points(QuantType.WEIGHT)).hasSize(2);
        assertThat(layers.get(1).points(QuantType.WEIGHT).get(0).channelAxis()).isZero();
        assertThat(layers.get(1).points(QuantType.INPUT).get(0).channelAxis())
                .isEqualTo(QuantizationPoint.LAST_AXIS);
    }
}
