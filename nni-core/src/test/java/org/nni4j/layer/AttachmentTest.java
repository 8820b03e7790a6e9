package org.nni4j.layer;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.layer.Networks.Case;

/**
 * What holds for every network: a wrapper that lets everything through is not noticed, and leaves
 * no trace.
 */
class AttachmentTest {

    private static final int SEED = 7;

    private NDManager manager;
    private ParameterStore store;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager();
        store = new ParameterStore(manager, false);
    }

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @MethodSource("org.nni4j.layer.Networks#all")
    void forward_attachedAndDetached_isIdentical(Case network) {
        Block root = network.network().get();
        NDList inputs = initialize(network, root);
        float[] evaluated = evaluate(root, inputs);
        float[] trained = train(root, inputs);
        float[] evaluatedAfter = evaluate(root, inputs);

        Map<Layer, CountingWrapper> wrappers = new LinkedHashMap<>();
        Attachment attachment = attach(network, root, wrappers);
        assertThat(evaluate(root, inputs)).as("seed %d", SEED).containsExactly(evaluatedAfter);
        wrappers.forEach(
                (layer, wrapper) -> assertThat(wrapper.passes).as(layer.toString()).isPositive());
        assertThat(train(root, inputs)).as("seed %d", SEED).containsExactly(trained);
        wrappers.forEach(
                (layer, wrapper) ->
                        assertThat(wrapper.trainingPasses).as(layer.toString()).isPositive());
        attachment.detach();

        assertThat(train(root, inputs)).as("seed %d", SEED).containsExactly(trained);
        assertThat(evaluated).hasSameSizeAs(evaluatedAfter);
    }

    @ParameterizedTest
    @MethodSource("org.nni4j.layer.Networks#all")
    void detach_attached_restoresEveryObject(Case network) {
        Block root = network.network().get();
        List<String> before = identities(root);
        Attachment attachment = attach(network, root, new LinkedHashMap<>());
        assertThat(identities(root)).isNotEqualTo(before);
        assertThat(LayerTree.of(root).isAttached()).isTrue();

        attachment.detach();
        attachment.detach();

        assertThat(identities(root)).isEqualTo(before);
        assertThat(LayerTree.of(root).isAttached()).isFalse();
        assertThat(attachment.isAttached()).isFalse();
    }

    @ParameterizedTest
    @MethodSource("org.nni4j.layer.Networks#all")
    void saveParameters_attached_sameBytesAndNames(Case network) throws Exception {
        Block root = network.network().get();
        NDList inputs = initialize(network, root);
        byte[] plain = save(root);
        List<String> names = root.getParameters().keys();

        attach(network, root, new LinkedHashMap<>());

        assertThat(save(root)).isEqualTo(plain);
        assertThat(root.getParameters().keys()).isEqualTo(names);
        assertThat(root.isInitialized()).isTrue();
        Block other = network.network().get();
        other.loadParameters(manager, new DataInputStream(new ByteArrayInputStream(save(root))));
        assertThat(save(other)).isEqualTo(plain);
        // loaded arrays are aligned differently, and native kernels add in another order then
        assertThat(evaluate(other, inputs))
                .usingComparatorWithPrecision(1e-4f)
                .containsExactly(evaluate(root, inputs));
    }

    @ParameterizedTest
    @MethodSource("org.nni4j.layer.Networks#all")
    void initialize_attached_worksThroughWrappers(Case network) {
        Block root = network.network().get();
        attach(network, root, new LinkedHashMap<>());
        assertThat(root.isInitialized()).isFalse();

        initialize(network, root);

        assertThat(root.isInitialized()).isTrue();
        assertThat(LayerTree.of(root).layers()).allMatch(Layer::isInitialized);
    }

    @ParameterizedTest
    @MethodSource("org.nni4j.layer.Networks#all")
    void of_attached_seesTheUsersLayers(Case network) {
        Block root = network.network().get();
        List<String> plain = describe(LayerTree.of(root));

        attach(network, root, new LinkedHashMap<>());

        assertThat(describe(LayerTree.of(root))).isEqualTo(plain);
    }

    private static List<String> describe(LayerTree tree) {
        return tree.layers().stream()
                .map(
                        layer ->
                                layer
                                        + " "
                                        + System.identityHashCode(layer.block())
                                        + layer.aliases()
                                        + layer.parameters().keySet())
                .toList();
    }

    /** Containers too, not only leaves. */
    private static Attachment attach(
            Case network, Block root, Map<Layer, CountingWrapper> wrappers) {
        LayerTree tree = LayerTree.of(root);
        List<Layer> layers =
                tree.layers().stream()
                        .filter(layer -> !network.untakeable().contains(layer.type()))
                        .toList();
        assertThat(layers).isNotEmpty();
        return tree.attach(CountingWrapper.around(layers, wrappers));
    }

    private NDList initialize(Case network, Block root) {
        Engine.getInstance().setRandomSeed(SEED);
        NDList inputs = network.inputs().apply(manager);
        root.initialize(manager, DataType.FLOAT32, inputs.getShapes());
        return inputs;
    }

    private float[] evaluate(Block root, NDList inputs) {
        return values(root.forward(store, inputs, false, null));
    }

    private float[] train(Block root, NDList inputs) {
        Engine.getInstance().setRandomSeed(SEED);
        NDList labels = new NDList(manager.ones(inputs.head().getShape()));
        return values(root.forward(store, inputs, labels, null));
    }

    private static float[] values(NDList outputs) {
        NDArray first = outputs.head();
        return first.toFloatArray();
    }

    private static byte[] save(Block root) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        root.saveParameters(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    /** Everything the search can reach, object by object. */
    private static List<String> identities(Block root) {
        return new ArrayList<>(ObjectGraph.of(root));
    }
}
