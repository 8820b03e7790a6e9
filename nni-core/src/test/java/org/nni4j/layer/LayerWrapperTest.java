package org.nni4j.layer;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LayerWrapperTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore store = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    /** Also notices a method that a later DJL adds. */
    @Test
    void everyMethodOfBlock_isDelegated() {
        List<String> declared =
                Arrays.stream(LayerWrapper.class.getDeclaredMethods())
                        .map(LayerWrapperTest::signature)
                        .toList();
        List<String> missing =
                Arrays.stream(Block.class.getMethods())
                        .filter(method -> !Modifier.isStatic(method.getModifiers()))
                        .map(LayerWrapperTest::signature)
                        .filter(signature -> !declared.contains(signature))
                        .toList();
        // DJL's own short form calls the full one
        assertThat(missing)
                .containsExactly(
                        "forward[" + ParameterStore.class + ", " + NDList.class + ", boolean]");
    }

    private static String signature(Method method) {
        return method.getName() + Arrays.toString(method.getParameterTypes());
    }

    @Test
    void wrapper_initialized_answersAsTheInnerBlock() {
        Linear inner = Networks.linear();
        CountingWrapper wrapper = new CountingWrapper(inner);
        Shape shape = new Shape(2, 3);
        assertThat(wrapper.isInitialized()).isFalse();

        wrapper.setInitializer(Initializer.ONES, Parameter.Type.WEIGHT);
        wrapper.setInitializer(Initializer.ONES, "bias");
        wrapper.setInitializer(Initializer.ONES, parameter -> true);
        wrapper.initialize(manager, DataType.FLOAT32, shape);

        assertThat(inner.isInitialized()).isTrue();
        assertThat(wrapper.isInitialized()).isTrue();
        assertThat(wrapper.inner()).isSameAs(inner);
        assertThat(wrapper.getParameters().keys()).isEqualTo(inner.getParameters().keys());
        assertThat(wrapper.getDirectParameters().values())
                .isEqualTo(inner.getDirectParameters().values());
        assertThat(wrapper.describeInput().toMap()).isEqualTo(inner.describeInput().toMap());
        assertThat(wrapper.getInputShapes()).isEqualTo(inner.getInputShapes());
        assertThat(wrapper.getOutputShapes(new Shape[] {shape}))
                .isEqualTo(inner.getOutputShapes(new Shape[] {shape}));
        assertThat(wrapper.getOutputShapes(new Shape[] {shape}, new DataType[] {DataType.FLOAT32}))
                .isEqualTo(inner.getOutputShapes(new Shape[] {shape}));
        assertThat(wrapper.getOutputDataTypes()).isEqualTo(inner.getOutputDataTypes());
        assertThat(wrapper.getCustomMetadata()).isEqualTo(Map.of());
        assertThat(wrapper).hasToString(inner.toString());
        assertThat(inner.getParameters().values().get(0).getArray().toFloatArray())
                .containsOnly(1f);
        wrapper.freezeParameters(true);
        assertThat(inner.getParameters().values()).noneMatch(Parameter::requiresGradient);
        wrapper.freezeParameters(false, parameter -> true);
        assertThat(inner.getParameters().values()).allMatch(Parameter::requiresGradient);
        wrapper.clear();
        assertThat(inner.isInitialized()).isFalse();
    }

    @Test
    void getChildren_ofAContainer_areTheInnerOnes() {
        SequentialBlock inner = Networks.convolutional();

        assertThat(new CountingWrapper(inner).getChildren().values())
                .containsExactlyElementsOf(inner.getChildren().values());
    }

    /** Remembers the labels it was run with. */
    private static class LabelReader extends SequentialBlock {
        final List<@Nullable NDList> seen = new ArrayList<>();

        @Override
        protected NDList forwardInternal(
                ParameterStore parameterStore,
                NDList inputs,
                boolean training,
                @Nullable PairList<String, Object> params) {
            seen.add(null);
            return inputs;
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore parameterStore,
                NDList data,
                NDList labels,
                @Nullable PairList<String, Object> params) {
            seen.add(labels);
            return data;
        }
    }

    /** DJL's encoder-decoder, for one, cannot train without. */
    @Test
    void forward_withLabels_handsThemOn() {
        LabelReader inner = new LabelReader();
        inner.initialize(manager, DataType.FLOAT32, new Shape(1));
        CountingWrapper wrapper = new CountingWrapper(new CountingWrapper(inner));
        NDList data = new NDList(manager.ones(new Shape(1)));
        NDList labels = new NDList(manager.zeros(new Shape(1)));

        wrapper.forward(store, data, labels, null);
        wrapper.forward(store, data, true, null);
        wrapper.forward(store, data, false);

        assertThat(inner.seen).isEqualTo(Arrays.asList(labels, null, null));
        assertThat(wrapper.passes).isEqualTo(3);
        assertThat(wrapper.trainingPasses).isEqualTo(2);
    }

    @Test
    void forward_trainingUninitialized_initializesTheInnerBlock() {
        Linear inner = Networks.linear();

        new CountingWrapper(inner)
                .forward(store, new NDList(manager.ones(new Shape(2, 3))), true, null);

        assertThat(inner.isInitialized()).isTrue();
    }
}
