package org.nni4j.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.recurrent.LSTM;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LayerTreeTest {

    @Test
    void layers_nestedContainers_dottedPathsDepthFirst() {
        assertThat(LayerTree.of(Networks.residual()).layers())
                .extracting(Layer::toString)
                .containsExactly(
                        "01ParallelBlock (ParallelBlock)",
                        "01ParallelBlock.01SequentialBlock (SequentialBlock)",
                        "01ParallelBlock.01SequentialBlock.01Conv2d (Conv2d)",
                        "01ParallelBlock.01SequentialBlock.02LambdaBlock (ReLU)",
                        "01ParallelBlock.02LambdaBlock (identity)",
                        "02Conv2d (Conv2d)");
    }

    @Test
    void isContainer_byChildren_saysWhichLayersHoldOthers() {
        assertThat(LayerTree.of(Networks.residual()).layers())
                .extracting(Layer::isContainer)
                .containsExactly(true, true, false, false, false, false);
    }

    @Test
    void type_activationBlocks_isTheirOwnName() {
        Stream<Block> activations =
                Stream.of(
                        Activation.reluBlock(),
                        Activation.relu6Block(),
                        Activation.sigmoidBlock(),
                        Activation.tanhBlock(),
                        Activation.softPlusBlock(),
                        Activation.softSignBlock(),
                        Activation.leakyReluBlock(0.1f),
                        Activation.eluBlock(1),
                        Activation.seluBlock(),
                        Activation.geluBlock(),
                        Activation.swishBlock(1),
                        Activation.mishBlock(),
                        Activation.preluBlock(),
                        Blocks.batchFlattenBlock());
        assertThat(activations.map(block -> only(block).type()))
                .containsExactly(
                        "ReLU",
                        "ReLU6",
                        "sigmoid",
                        "Tanh",
                        "softPlus",
                        "softSign",
                        "LeakyReLU",
                        "ELU",
                        "SELU",
                        "GELU",
                        "Swish",
                        "Mish",
                        "Prelu",
                        "batchFlatten");
    }

    /** DJL calls them "anonymous", or by the lambda's class, which is another in every run. */
    @Test
    void type_lambdaWithoutName_isLambdaBlock() {
        assertThat(only(new LambdaBlock(inputs -> inputs)).type()).isEqualTo("LambdaBlock");
        assertThat(only(LambdaBlock.singleton(input -> input)).type()).isEqualTo("LambdaBlock");
        assertThat(only(LambdaBlock.singleton(Activation::relu)).type()).isEqualTo("LambdaBlock");
    }

    @Test
    void type_anonymousAndLocalClass_isTheNearestNamedSuperclass() {
        class Local extends SequentialBlock {}

        assertThat(only(new Local() {}).type()).isEqualTo("SequentialBlock");
        assertThat(only(new Local()).type()).isEqualTo("SequentialBlock");
        assertThat(only(new Networks.BlockField() {}.getChildren().valueAt(0)).type())
                .isEqualTo("Linear");
    }

    @Test
    void layers_rootIsALeaf_isListedUnderItsType() {
        Block root = Networks.linear();

        assertThat(LayerTree.of(root).layers())
                .singleElement()
                .satisfies(
                        layer -> {
                            assertThat(layer.path()).isEqualTo("Linear");
                            assertThat(layer.block()).isSameAs(root);
                        });
    }

    @Test
    void layers_blockUsedTwice_isListedOnceWithItsAliases() {
        LayerTree tree = LayerTree.of(Networks.shared());

        assertThat(tree.layers())
                .extracting(Layer::path)
                .containsExactly("01Linear", "02LambdaBlock");
        Layer shared = tree.layers().get(0);
        assertThat(shared.aliases()).containsExactly("03Linear");
        assertThat(tree.find("03Linear")).containsSame(shared);
        assertThat(tree.find("01Linear")).containsSame(shared);
        assertThat(tree.find("04Linear")).isEmpty();
    }

    @Test
    void layers_containerUsedTwice_childrenHaveAliasesToo() {
        Block twice = new SequentialBlock().add(Networks.linear());
        LayerTree tree = LayerTree.of(new SequentialBlock().add(twice).add(twice));

        assertThat(tree.find("02SequentialBlock.01Linear"))
                .containsSame(tree.find("01SequentialBlock.01Linear").orElseThrow());
    }

    @Test
    @Timeout(10)
    void of_containersSharedOnEveryLevel_ends() {
        SequentialBlock block = new SequentialBlock().add(Networks.linear());
        for (int i = 0; i < 40; i++) {
            block = new SequentialBlock().add(block).add(block);
        }

        assertThat(LayerTree.of(block).layers()).hasSize(41);
    }

    @Test
    @Timeout(10)
    void of_networkThatContainsItself_ends() {
        SequentialBlock inner = new SequentialBlock();
        SequentialBlock root = new SequentialBlock().add(inner).add(Networks.linear());
        inner.add(root).add(inner).add(Networks.linear());

        assertThat(LayerTree.of(root).layers())
                .extracting(Layer::path)
                .containsExactly("01SequentialBlock", "01SequentialBlock.03Linear", "02Linear");
    }

    @Test
    void of_sameKeyTwice_pathsStayDistinct() {
        Block root =
                new Networks.BlockField() {
                    @Override
                    public BlockList getChildren() {
                        return new BlockList(
                                List.of("a", "a"), List.of(Networks.linear(), Networks.lstm()));
                    }
                };

        assertThat(LayerTree.of(root).layers()).extracting(Layer::path).startsWith("a", "a#2");
    }

    @Test
    void weights_convolution_isTheKernelWithoutTheBias() {
        Layer layer = only(Conv2d.builder().setFilters(2).setKernelShape(new Shape(3, 3)).build());

        assertThat(layer.parameters()).containsOnlyKeys("weight", "bias");
        assertThat(layer.weights()).extracting(Parameter::getName).containsExactly("weight");
    }

    @Test
    void weights_lstmOfTwoLayers_areFour() {
        Layer layer = only(LSTM.builder().setStateSize(3).setNumLayers(2).build());

        assertThat(layer.weights()).hasSize(4);
        assertThat(layer.parameters()).hasSize(8);
    }

    @Test
    void parameters_container_areItsOwnOnly() {
        assertThat(LayerTree.of(Networks.residual()).layers().get(0).parameters()).isEmpty();
    }

    @Test
    void isInitialized_beforeAndAfter_followsTheArrays() {
        SequentialBlock root = Networks.convolutional();
        LayerTree tree = LayerTree.of(root);

        assertThat(tree.layers())
                .extracting(Layer::isInitialized)
                .containsExactly(false, false, true, true, false);
        try (NDManager manager = NDManager.newBaseManager()) {
            root.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 8, 8));
            assertThat(tree.layers()).allMatch(Layer::isInitialized);
        }
    }

    @Test
    void of_modelWithoutBlock_throws() {
        try (Model model = Model.newInstance("empty")) {
            assertThatThrownBy(() -> LayerTree.of(model))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the model has no block; call setBlock or load it first");
        }
    }

    @Test
    void of_deepResidualNetwork_usesDjlsPaths() {
        assertThat(LayerTree.of(Networks.resnet()).layers())
                .extracting(Layer::path)
                .contains("02ParallelBlock.01SequentialBlock.01Conv2d");
    }

    private static Layer only(Block block) {
        ParallelBlock root = new ParallelBlock(outputs -> new NDList()).add(block);
        return LayerTree.of(root).layers().get(0);
    }
}
