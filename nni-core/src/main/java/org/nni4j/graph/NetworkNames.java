package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;

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

    static NetworkNames of(LayerTree tree) {
        Map<Parameter, ParameterRead> parameters = new LinkedHashMap<>();
        Layer root = tree.root();
        for (Layer layer : tree.layers()) {
            layer.parameters().forEach((name, p) -> put(parameters, p, layer.path(), name));
        }
        root.parameters().forEach((name, p) -> put(parameters, p, root.path(), name));
        return new NetworkNames(root.block(), root.path(), root.type(), parameters);
    }

    /* A parameter that two layers share keeps its first name. */
    private static void put(
            Map<Parameter, ParameterRead> parameters,
            Parameter parameter,
            String layer,
            String name) {
        parameters.putIfAbsent(parameter, new ParameterRead(layer, name));
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
