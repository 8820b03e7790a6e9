package org.nni4j.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowable;

import ai.djl.BaseModel;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.util.PairList;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What can be put into a slot, what cannot, and what becomes of the rest then. */
class SlotTest {

    private static Attachment attachAll(LayerTree tree) {
        return tree.attach(CountingWrapper.around(tree.layers()));
    }

    private static IllegalStateExceptionAssert refused(Block root) {
        return new IllegalStateExceptionAssert(root);
    }

    /** Attaching to all layers must fail, and leave every object where it was. */
    private record IllegalStateExceptionAssert(Block root) {
        void withMessage(String message) {
            List<String> before = ObjectGraph.of(root);
            assertThatIllegalStateException()
                    .isThrownBy(() -> attachAll(LayerTree.of(root)))
                    .withMessage(message);
            assertThat(ObjectGraph.of(root)).isEqualTo(before);
        }
    }

    static final class FinalLayer extends SequentialBlock {}

    static class FinalLayerField extends Networks.Chain {
        private final Block fine = child("fine", Networks.linear());
        private final FinalLayer head = child("head", new FinalLayer());

        @Override
        Stream<Block> steps() {
            return Stream.of(fine, head);
        }
    }

    @Test
    void attach_fieldOfAFinalClass_namesFieldAndClass() {
        refused(new FinalLayerField())
                .withMessage(
                        "layer \"02head\": field org.nni4j.layer.SlotTest$FinalLayerField.head"
                                + " takes only a org.nni4j.layer.SlotTest$FinalLayer, and"
                                + " org.nni4j.layer.SlotTest$FinalLayer is final; declare it as"
                                + " ai.djl.nn.Block, or leave the layer out");
    }

    /** The field takes no adapter, so a wrapper in the children list alone would see nothing. */
    @Test
    void attach_otherLayersOfThatNetwork_works() {
        FinalLayerField root = new FinalLayerField();
        LayerTree tree = LayerTree.of(root);

        tree.attach(CountingWrapper.around(List.of(tree.find("01fine").orElseThrow())));

        assertThat(root.fine).isInstanceOf(CountingWrapper.class);
    }

    static class FinalForward extends SequentialBlock {
        @Override
        protected final NDList forwardInternal(
                ParameterStore parameterStore,
                NDList inputs,
                boolean training,
                @Nullable PairList<String, Object> params) {
            return inputs;
        }
    }

    static class FinalForwardField extends Networks.Chain {
        private final FinalForward head = child("head", new FinalForward());

        @Override
        Stream<Block> steps() {
            return Stream.of(head);
        }
    }

    @Test
    void attach_fieldOfAClassWithFinalForward_isRefused() {
        refused(new FinalForwardField())
                .withMessage(
                        "layer \"01head\": field org.nni4j.layer.SlotTest$FinalForwardField.head"
                            + " takes only a org.nni4j.layer.SlotTest$FinalForward, and"
                            + " org.nni4j.layer.SlotTest$FinalForward has a final forwardInternal;"
                            + " declare it as ai.djl.nn.Block, or leave the layer out");
    }

    record Branch(Block layer) {}

    static class RecordField extends Networks.Chain {
        private final Branch branch = new Branch(child("a", Networks.linear()));

        @Override
        Stream<Block> steps() {
            return Stream.of(branch.layer());
        }
    }

    @Test
    void attach_layerInARecord_isRefused() {
        refused(new RecordField())
                .withMessage(
                        "layer \"01a\": field org.nni4j.layer.SlotTest$Branch.layer belongs to a"
                                + " record and cannot be written; use a class");
    }

    static class LambdaField extends Networks.Chain {
        private final Supplier<Block> layer;

        LambdaField() {
            Block captured = child("a", Networks.linear());
            layer = () -> captured;
        }

        @Override
        Stream<Block> steps() {
            return Stream.of(layer.get());
        }
    }

    @Test
    void attach_layerCapturedByALambda_isRefused() {
        refused(new LambdaField())
                .withMessage(
                        "layer \"01a\": a lambda in field"
                            + " org.nni4j.layer.SlotTest$LambdaField.layer captures the block and"
                            + " cannot be written; use a class");
    }

    static class KeyField extends Networks.Chain {
        private final Map<Block, Integer> order = new HashMap<>();

        KeyField() {
            order.put(child("a", Networks.linear()), 1);
        }

        @Override
        Stream<Block> steps() {
            return order.keySet().stream();
        }
    }

    @Test
    void attach_layerAsKeyOfAMap_isRefused() {
        refused(new KeyField())
                .withMessage(
                        "layer \"01a\": field org.nni4j.layer.SlotTest$KeyField.order uses the"
                                + " block as the key of a map");
    }

    static class FreshChildren extends Networks.BlockField {
        @Override
        public BlockList getChildren() {
            return new BlockList(List.of("a"), List.of(Networks.linear()));
        }
    }

    @Test
    void attach_childrenMadeUpAtEveryCall_isRefused() {
        refused(new FreshChildren())
                .withMessage(
                        "layer \"a\": nothing holds the block that could be written to;"
                            + " org.nni4j.layer.SlotTest$FreshChildren must keep its children in a"
                            + " field, list, map or array");
    }

    static class HiddenChildren extends Networks.BlockField {
        private static final List<Block> HIDDEN = new ArrayList<>();

        HiddenChildren() {
            HIDDEN.add(getChildren().valueAt(0));
        }

        @Override
        public BlockList getChildren() {
            return HIDDEN.isEmpty()
                    ? super.getChildren()
                    : new BlockList(List.of("a"), List.copyOf(HIDDEN));
        }
    }

    /** The field is found, but not the static list that getChildren reads. */
    @Test
    void attach_childrenKeptOutOfReach_isRefusedAndUndone() {
        refused(new HiddenChildren())
                .withMessage(
                        "layer \"a\": getChildren() of org.nni4j.layer.SlotTest$HiddenChildren"
                            + " still returns the plain block as \"a\"; keep it in a field, list,"
                            + " map or array");
    }

    static class MoodyList extends ArrayList<Block> {
        private static final long serialVersionUID = 1;
        private boolean broken;

        @Override
        public Block set(int index, Block block) {
            if (broken && index == 1) {
                throw new IllegalStateException("no");
            }
            return super.set(index, block);
        }
    }

    @Test
    void attach_writeFailsHalfway_everythingIsPutBack() {
        MoodyList layers = new MoodyList();
        Block root = new Networks.ListField(layers);
        layers.broken = true;

        refused(root).withMessage("no");
    }

    @Test
    void detach_oneSlotThrows_othersAreRestored() {
        MoodyList layers = new MoodyList();
        Networks.ListField root = new Networks.ListField(layers);
        Attachment attachment = attachAll(LayerTree.of(root));
        layers.broken = true;

        assertThatIllegalStateException().isThrownBy(attachment::detach).withMessage("no");

        assertThat(layers.get(0)).isInstanceOf(Linear.class);
        assertThat(root.getChildren().values()).hasOnlyElementsOfType(Linear.class);
    }

    @Test
    void attach_wrapperFunctionThrows_nothingIsChanged() {
        Block root = Networks.residual();
        LayerTree tree = LayerTree.of(root);
        List<String> before = ObjectGraph.of(root);
        Map<Layer, Function<Block, Block>> wrappers =
                new LinkedHashMap<>(CountingWrapper.around(tree.layers()));
        wrappers.put(
                tree.layers().get(3),
                block -> {
                    throw new UnsupportedOperationException("no");
                });

        assertThat(catchThrowable(() -> tree.attach(wrappers)))
                .isInstanceOf(UnsupportedOperationException.class);
        assertThat(ObjectGraph.of(root)).isEqualTo(before);
    }

    @Test
    void attach_functionReturnsNoWrapper_throws() {
        LayerTree tree = LayerTree.of(Networks.shared());

        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> tree.attach(Map.of(tree.layers().get(0), block -> Networks.linear())))
                .withMessage(
                        "layer \"01Linear\": expected a LayerWrapper around the block given, but"
                                + " got ai.djl.nn.core.Linear");
    }

    @Test
    void attach_layerOfAnotherTree_throws() {
        Layer stranger = LayerTree.of(Networks.shared()).layers().get(0);

        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                LayerTree.of(Networks.shared())
                                        .attach(CountingWrapper.around(List.of(stranger))))
                .withMessage("layer \"01Linear\" is not of this network");
    }

    @Test
    void attach_twice_isRefusedUntilDetached() {
        Block root = Networks.shared();
        Attachment first = attachAll(LayerTree.of(root));

        assertThatIllegalStateException()
                .isThrownBy(() -> attachAll(LayerTree.of(root)))
                .withMessageContaining("already quantized; restore the network");
        first.detach();
        attachAll(LayerTree.of(root)).detach();
    }

    @Test
    void attach_rootBlockWithoutModel_isRefused() {
        refused(Networks.linear())
                .withMessage(
                        "layer \"Linear\": nothing holds the block that could be written to; give"
                                + " the model instead of its block");
    }

    @Test
    void attach_modelWithASingleLayer_takesAndRestoresTheModelsBlock() throws Exception {
        try (Model model = Model.newInstance("single")) {
            Block root = Networks.linear();
            model.setBlock(root);
            setLoaded(model);

            Attachment attachment = attachAll(LayerTree.of(model));
            assertThat(model.getBlock()).isInstanceOf(CountingWrapper.class);
            assertThat(LayerTree.of(model).layers().get(0).block()).isSameAs(root);
            assertThat(wasLoaded(model)).isTrue();
            assertThatIllegalStateException().isThrownBy(() -> attachAll(LayerTree.of(model)));
            attachment.detach();

            assertThat(model.getBlock()).isSameAs(root);
            assertThat(wasLoaded(model)).isTrue();
        }
    }

    @Test
    void attach_rootContainerAndItsLayers_allAreWrapped() {
        try (Model model = Model.newInstance("container")) {
            Block root = Networks.convolutional();
            model.setBlock(root);
            LayerTree tree = LayerTree.of(model);
            List<Layer> layers = new ArrayList<>(tree.layers());
            layers.add(tree.root());

            Attachment attachment = tree.attach(CountingWrapper.around(layers));
            assertThat(model.getBlock()).isInstanceOf(CountingWrapper.class);
            assertThat(model.getBlock().getChildren().values())
                    .hasOnlyElementsOfType(CountingWrapper.class);
            assertThat(LayerTree.of(model).layers())
                    .extracting(Layer::block)
                    .containsExactlyElementsOf(tree.layers().stream().map(Layer::block).toList());
            attachment.detach();

            assertThat(model.getBlock()).isSameAs(root);
            assertThat(LayerTree.of(model).isAttached()).isFalse();
        }
    }

    @Test
    void attach_wrapperAroundAWrapper_isSeenThrough() {
        Block root = Networks.shared();
        LayerTree tree = LayerTree.of(root);
        Layer layer = tree.layers().get(0);

        tree.attach(Map.of(layer, block -> new CountingWrapper(new CountingWrapper(block))));

        assertThat(LayerTree.of(root).layers().get(0).block()).isSameAs(layer.block());
    }

    private static void setLoaded(Model model) throws ReflectiveOperationException {
        Field field = BaseModel.class.getDeclaredField("wasLoaded");
        field.setAccessible(true);
        field.setBoolean(model, true);
    }

    private static boolean wasLoaded(Model model) throws ReflectiveOperationException {
        Field field = BaseModel.class.getDeclaredField("wasLoaded");
        field.setAccessible(true);
        return field.getBoolean(model);
    }

    /** Trainers call the form with labels, and initialize through the wrapper. */
    @Test
    void train_modelWithASingleLayer_passesTheWrapper() {
        try (Model model = Model.newInstance("single");
                NDManager manager = NDManager.newBaseManager()) {
            model.setBlock(Networks.linear());
            LayerTree tree = LayerTree.of(model);
            Map<Layer, CountingWrapper> made = new LinkedHashMap<>();
            tree.attach(CountingWrapper.around(tree.layers(), made));
            try (Trainer trainer = model.newTrainer(new DefaultTrainingConfig(Loss.l2Loss()))) {
                trainer.initialize(new Shape(2, 3));
                NDList data = new NDList(manager.ones(new Shape(2, 3)));
                trainer.forward(data, new NDList(manager.ones(new Shape(2, 4))));
                trainer.evaluate(data);
            }
            assertThat(made.values())
                    .singleElement()
                    .satisfies(
                            wrapper -> {
                                assertThat(wrapper.passes).isEqualTo(2);
                                assertThat(wrapper.trainingPasses).isEqualTo(1);
                            });
        }
    }

    @Test
    void detach_otherSlotChangedMeanwhile_keepsTheChange() {
        SequentialBlock root = Networks.convolutional();
        LayerTree tree = LayerTree.of(root);
        Attachment attachment = attachAll(tree);
        Block replacement = Linear.builder().setUnits(7).build();
        root.replaceLastBlock(replacement);
        root.add(tree.layers().get(0).block());

        attachment.detach();

        assertThat(root.getChildren().values())
                .containsExactly(
                        tree.layers().get(0).block(),
                        tree.layers().get(1).block(),
                        tree.layers().get(2).block(),
                        tree.layers().get(3).block(),
                        replacement,
                        tree.layers().get(0).block());
    }

    @Test
    void detach_elementsMovedMeanwhile_restoresThemWhereTheyAre() {
        Networks.ListField root = new Networks.ListField(new ArrayList<>());
        Attachment attachment = attachAll(LayerTree.of(root));
        Block added = Networks.linear();
        root.layers.add(0, added);

        attachment.detach();

        assertThat(root.layers).hasSize(3).noneMatch(CountingWrapper.class::isInstance);
        assertThat(root.layers.get(0)).isSameAs(added);
    }

    @Test
    void attach_twoNetworks_doNotDisturbEachOther() {
        Networks.FinalLinearField one = new Networks.FinalLinearField();
        Networks.FinalLinearField two = new Networks.FinalLinearField();
        Linear original = two.first;
        Attachment first = attachAll(LayerTree.of(one));
        Attachment second = attachAll(LayerTree.of(two));

        first.detach();

        assertThat(LayerTree.of(one).isAttached()).isFalse();
        assertThat(two.first).isNotSameAs(original);
        second.detach();
        assertThat(two.first).isSameAs(original);
    }

    /** Twice in the children list and once in a field: a pass through either place is seen. */
    static class EverywhereBlock extends Networks.Chain {
        private final Linear typed = child("a", Networks.linear());
        private final Block alias = child("b", typed);
        private final Linear[] array = {typed};

        @Override
        Stream<Block> steps() {
            return Stream.concat(
                    Stream.of(typed, alias, array[0]), getChildren().values().stream());
        }
    }

    @Test
    void attach_blockInSeveralSlots_takesThemAll() {
        EverywhereBlock root = new EverywhereBlock();
        LayerTree tree = LayerTree.of(root);
        Map<Layer, CountingWrapper> made = new LinkedHashMap<>();
        tree.attach(CountingWrapper.around(tree.layers(), made));

        try (NDManager manager = NDManager.newBaseManager()) {
            NDList inputs = new NDList(manager.ones(new Shape(2, 4)));
            root.initialize(manager, DataType.FLOAT32, new Shape(2, 4));
            root.forward(new ParameterStore(manager, false), inputs, false, null);
        }

        assertThat(made.values()).singleElement().extracting(w -> w.passes).isEqualTo(5);
        assertThat(root.typed).isSameAs(root.array[0]);
    }
}
