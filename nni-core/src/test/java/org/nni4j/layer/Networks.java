package org.nni4j.layer;

import ai.djl.basicmodelzoo.cv.classification.ResNetV1;
import ai.djl.basicmodelzoo.tabular.TabNet;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.nn.transformer.BertBlock;
import ai.djl.nn.transformer.TransformerEncoderBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Networks of every kind a user may bring. */
final class Networks {

    private Networks() {}

    /**
     * A network, what to feed it, and the types of layers that DJL itself keeps in slots nothing
     * else fits in.
     */
    record Case(
            String name,
            Supplier<Block> network,
            Function<NDManager, NDList> inputs,
            Set<String> untakeable) {

        Case(String name, Supplier<Block> network, Shape input) {
            this(name, network, manager -> new NDList(manager.randomNormal(input)), Set.of());
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Case> all() {
        Shape vector = new Shape(3, 4);
        return Stream.of(
                new Case("sequential", Networks::convolutional, new Shape(2, 1, 8, 8)),
                new Case("residual", Networks::residual, new Shape(2, 2, 6, 6)),
                new Case("resnet", Networks::resnet, new Shape(2, 3, 12, 12)),
                new Case(
                        "transformer",
                        Networks::transformer,
                        manager -> new NDList(manager.randomNormal(new Shape(2, 5, 8))),
                        Set.of("ScaledDotProductAttentionBlock")),
                new Case(
                        "bert",
                        Networks::bert,
                        Networks::tokens,
                        Set.of("IdEmbedding", "ScaledDotProductAttentionBlock")),
                new Case("lstm", Networks::lstm, new Shape(2, 5, 4)),
                new Case("gru", Networks::gru, new Shape(2, 5, 4)),
                new Case("tabnet", Networks::tabnet, new Shape(4, 6)),
                new Case("field of type Block", BlockField::new, vector),
                new Case("final field of a concrete class", FinalLinearField::new, vector),
                new Case("generic field", GenericField::new, vector),
                new Case("list", () -> new ListField(new ArrayList<>()), vector),
                new Case("immutable list", ImmutableListField::new, vector),
                new Case("list of a concrete class", TypedListField::new, vector),
                new Case("map", MapField::new, vector),
                new Case("array", ArrayField::new, vector),
                new Case("optional and set", OptionalField::new, vector),
                new Case("holder in the same package", HolderField::new, vector),
                new Case("private nested layer class", PrivateLayerField::new, vector),
                new Case("own getChildren", OwnChildren::new, vector),
                new Case("anonymous", Networks::anonymous, vector),
                new Case("shared layer", Networks::shared, vector));
    }

    static SequentialBlock convolutional() {
        return new SequentialBlock()
                .add(Conv2d.builder().setFilters(2).setKernelShape(new Shape(3, 3)).build())
                .add(BatchNorm.builder().build())
                .add(Activation.reluBlock())
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(3).build());
    }

    static Block residual() {
        Shape kernel = new Shape(3, 3);
        SequentialBlock branch =
                new SequentialBlock()
                        .add(
                                Conv2d.builder()
                                        .setFilters(2)
                                        .setKernelShape(kernel)
                                        .optPadding(new Shape(1, 1))
                                        .build())
                        .add(Activation.reluBlock());
        ParallelBlock sum =
                new ParallelBlock(
                        outputs ->
                                new NDList(
                                        NDArrays.add(outputs.get(0).head(), outputs.get(1).head())),
                        List.of(branch, Blocks.identityBlock()));
        return new SequentialBlock()
                .add(sum)
                .add(Conv2d.builder().setFilters(1).setKernelShape(kernel).build());
    }

    static Block resnet() {
        return ResNetV1.builder()
                .setImageShape(new Shape(3, 12, 12))
                .setNumLayers(8)
                .setOutSize(10)
                .build();
    }

    static Block transformer() {
        return new TransformerEncoderBlock(8, 2, 16, 0.1f, Activation::gelu);
    }

    static Block bert() {
        return BertBlock.builder()
                .optEmbeddingSize(8)
                .optTransformerBlockCount(2)
                .optAttentionHeadCount(2)
                .optHiddenSize(16)
                .optMaxSequenceLength(5)
                .optTypeDictionarySize(2)
                .setTokenDictionarySize(11)
                .build();
    }

    private static NDList tokens(NDManager manager) {
        Shape shape = new Shape(2, 5);
        return new NDList(
                manager.ones(shape, DataType.INT64),
                manager.zeros(shape, DataType.INT64),
                manager.ones(shape, DataType.INT64));
    }

    static Block lstm() {
        return new SequentialBlock()
                .add(LSTM.builder().setStateSize(3).setNumLayers(2).optBatchFirst(true).build())
                .add(Linear.builder().setUnits(2).build());
    }

    static Block gru() {
        return new SequentialBlock()
                .add(GRU.builder().setStateSize(3).setNumLayers(1).optBatchFirst(true).build());
    }

    static Block tabnet() {
        return TabNet.builder().setInputDim(6).setOutDim(2).optNumSteps(2).build();
    }

    static Block shared() {
        Block layer = linear();
        return new SequentialBlock().add(layer).add(Activation.reluBlock()).add(layer);
    }

    static Block anonymous() {
        Linear captured = linear();
        return new Chain() {
            {
                child("captured", captured);
            }

            @Override
            Stream<? extends Block> steps() {
                return Stream.of(captured);
            }
        };
    }

    static Linear linear() {
        return Linear.builder().setUnits(4).build();
    }

    /** Runs its steps one after the other, taking them from wherever the subclass keeps them. */
    abstract static class Chain extends AbstractBlock {

        abstract Stream<? extends Block> steps();

        final <B extends Block> B child(String name, B block) {
            return addChildBlock(name, block);
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore parameterStore,
                NDList inputs,
                boolean training,
                @Nullable PairList<String, Object> params) {
            NDList current = inputs;
            for (Block step : (Iterable<Block>) steps().map(Block.class::cast)::iterator) {
                current = step.forward(parameterStore, current, training, params);
            }
            return current;
        }

        @Override
        protected void initializeChildBlocks(
                NDManager manager, DataType dataType, Shape... inputShapes) {
            for (Block child : getChildren().values()) {
                child.initialize(manager, dataType, inputShapes);
            }
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputShapes) {
            return inputShapes;
        }
    }

    static class BlockField extends Chain {
        private Block body = child("body", linear());

        @Override
        Stream<Block> steps() {
            return Stream.of(body);
        }
    }

    static class FinalLinearField extends Chain {
        final Linear first = child("first", linear());
        private final Linear second = child("second", linear());

        @Override
        Stream<Block> steps() {
            return Stream.of(first, second);
        }
    }

    abstract static class Body<B extends Block> extends Chain {
        final B body;

        Body(B body) {
            this.body = child("body", body);
        }
    }

    /** The field's class is Block, but the compiler casts what is read from it. */
    static class GenericField extends Body<Linear> {
        GenericField() {
            super(linear());
        }

        @Override
        Stream<Block> steps() {
            Linear typed = body;
            return Stream.of(typed);
        }
    }

    static class ListField extends Chain {
        final List<Block> layers;

        ListField(List<Block> layers) {
            this.layers = layers;
            layers.add(child("a", linear()));
            layers.add(child("b", linear()));
        }

        @Override
        Stream<Block> steps() {
            return layers.stream();
        }
    }

    static class ImmutableListField extends Chain {
        final List<Block> layers = List.of(child("a", linear()), child("b", linear()));
        final ImmutableList<List<Block>> nested =
                ImmutableList.of(List.of(child("c", linear())), layers);

        @Override
        Stream<Block> steps() {
            return Stream.concat(layers.stream(), nested.stream().flatMap(List::stream));
        }
    }

    static class TypedListField extends Chain {
        private final List<Linear> layers = new ArrayList<>();

        TypedListField() {
            layers.add(child("a", linear()));
        }

        @Override
        Stream<Linear> steps() {
            Linear first = layers.get(0);
            return Stream.of(first);
        }
    }

    static class MapField extends Chain {
        private final Map<String, Block> byName = new LinkedHashMap<>();
        private final Map<String, List<Linear>> fixed = Map.of("b", List.of(child("b", linear())));

        MapField() {
            byName.put("a", child("a", linear()));
        }

        @Override
        Stream<Block> steps() {
            return Stream.concat(
                    byName.values().stream(), fixed.values().stream().flatMap(List::stream));
        }
    }

    static class ArrayField extends Chain {
        private final Block[] blocks = {child("a", linear())};
        private final Linear[][] linears = {{child("b", linear())}, {child("c", linear())}};
        private Object untyped = new Object[] {child("d", linear())};

        @Override
        Stream<Block> steps() {
            return Stream.of(
                    blocks[0], linears[0][0], linears[1][0], (Block) ((Object[]) untyped)[0]);
        }
    }

    static class OptionalField extends Chain {
        private final Optional<Linear> maybe = Optional.of(child("a", linear()));
        private final Set<Block> set = new LinkedHashSet<>();
        private final Set<Block> fixedSet = Set.of(child("b", linear()));

        OptionalField() {
            set.add(child("c", linear()));
            set.add(child("d", linear()));
        }

        @Override
        Stream<Block> steps() {
            return Stream.of(maybe.stream(), set.stream(), fixedSet.stream())
                    .flatMap(stream -> stream.map(Block.class::cast));
        }
    }

    static class Holder {
        private final Linear layer;
        @Nullable Holder next;

        Holder(Linear layer) {
            this.layer = layer;
        }
    }

    static class HolderField extends Chain {
        private final Holder holder = new Holder(child("a", linear()));
        private final Holder last = new Holder(child("b", linear()));

        HolderField() {
            holder.next = last;
            last.next = holder; // cycles must not matter
        }

        @Override
        Stream<Block> steps() {
            return Stream.of(holder.layer, last.layer);
        }
    }

    static class PrivateLayerField extends Chain {
        private final Doubling layer = child("doubling", new Doubling());

        @Override
        Stream<Block> steps() {
            layer.requireFactor(2);
            return Stream.of(layer);
        }

        private static class Doubling extends LambdaBlock {
            private int factor = 2;

            Doubling() {
                super(inputs -> new NDList(inputs.head().mul(2)), "Doubling");
            }

            void requireFactor(int expected) {
                if (factor != expected || factor() != expected) {
                    throw new IllegalStateException("lost the state: " + factor);
                }
            }

            final int factor() {
                return factor;
            }
        }
    }

    /** Does not use the list of AbstractBlock. */
    static class OwnChildren extends Chain {
        private final Linear layer = linear();
        private final Block last = linear();

        @Override
        public BlockList getChildren() {
            BlockList children = new BlockList();
            children.add("layer", layer);
            children.add("last", last);
            return children;
        }

        @Override
        Stream<Block> steps() {
            return Stream.of(layer, last);
        }
    }
}
