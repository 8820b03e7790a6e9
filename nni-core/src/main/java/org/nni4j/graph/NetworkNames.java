package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.util.Pair;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.nni4j.layer.LayerWrapper;

/**
 * How a network's parameters and its root are called.
 *
 * @param rootBlock the user's root, not a wrapper in its place
 * @param rootPath empty for a container; a single layer is listed under its type
 * @param rootType for instance {@code SequentialBlock}
 * @param parameters the owner and name of every parameter, by the parameter itself
 */
record NetworkNames(
        Block rootBlock,
        String rootPath,
        String rootType,
        Map<Parameter, ParameterRead> parameters) {

    static NetworkNames of(Block root, LayerTree tree) {
        Block original = root;
        while (original instanceof LayerWrapper wrapper) {
            original = wrapper.inner();
        }
        Block rootBlock = original;
        Map<Parameter, ParameterRead> parameters = new LinkedHashMap<>();
        for (Pair<String, Parameter> own : rootBlock.getDirectParameters()) {
            parameters.put(own.getValue(), new ParameterRead("", own.getKey()));
        }
        String rootPath = "";
        for (Layer layer : tree.layers()) {
            if (layer.block() == rootBlock) {
                rootPath = layer.path();
            }
            layer.parameters()
                    .forEach(
                            (name, p) -> put(parameters, p, new ParameterRead(layer.path(), name)));
        }
        return new NetworkNames(rootBlock, rootPath, typeOf(tree, rootPath, rootBlock), parameters);
    }

    /* A parameter that two layers share keeps its first name, except that a layer's name is better than the root's. */
    private static void put(
            Map<Parameter, ParameterRead> parameters, Parameter parameter, ParameterRead read) {
        parameters.merge(parameter, read, (known, now) -> known.layer().isEmpty() ? now : known);
    }

    private static String typeOf(LayerTree tree, String rootPath, Block root) {
        return tree.find(rootPath).map(Layer::type).orElse(root.getClass().getSimpleName());
    }

    /**
     * Checks that every parameter has its array.
     *
     * @throws IllegalStateException naming the first that has none
     */
    void checkInitialized() {
        parameters.forEach(
                (parameter, read) -> {
                    if (!parameter.isInitialized()) {
                        throw new IllegalStateException(
                                "parameter \""
                                        + read
                                        + "\" is not initialized; call block.initialize(manager,"
                                        + " dataType, inputShapes) or load parameters before"
                                        + " tracing");
                    }
                });
    }

    Optional<NDArray> floatingParameter() {
        return parameters.keySet().stream()
                .map(Parameter::getArray)
                .filter(array -> array.getDataType().isFloating())
                .findFirst();
    }
}
