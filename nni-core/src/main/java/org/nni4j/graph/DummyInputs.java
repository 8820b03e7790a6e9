package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a network is traced with.
 *
 * @param shapes of all inputs
 * @param given the user's arrays; null if only shapes were given
 * @param dataType the type of arrays to be made; null for that of the parameters
 */
record DummyInputs(List<Shape> shapes, @Nullable NDList given, @Nullable DataType dataType) {

    DummyInputs {
        for (int i = 0; i < shapes.size(); i++) {
            if ((given == null && shapes.get(i).hasZeroDimension())
                    || shapes.get(i).size() < 0
                    || unknown(shapes.get(i))) {
                throw new IllegalArgumentException(
                        "input "
                                + i
                                + ": shape "
                                + shapes.get(i)
                                + " has an unknown dimension; give its size");
            }
        }
    }

    private static boolean unknown(Shape shape) {
        return java.util.Arrays.stream(shape.getShape()).anyMatch(size -> size < 0);
    }

    /** A manager of the engine and device the pass runs on. */
    NDManager newManager(Optional<NDArray> parameter) {
        if (given != null && !given.isEmpty()) {
            return given.head().getManager().newSubManager();
        }
        return parameter
                .map(p -> p.getManager().newSubManager())
                .orElseGet(NDManager::newBaseManager);
    }

    /**
     * Copies of the given arrays, or new ones: ones where they are floating, else zeros, which are
     * valid indices.
     */
    NDList arrays(NDManager manager, Optional<NDArray> parameter) {
        NDList arrays = new NDList();
        if (given != null) {
            given.forEach(a -> arrays.add(TracingParameterStore.copyOf(a, a.getDevice(), manager)));
            return arrays;
        }
        DataType fallback = parameter.map(NDArray::getDataType).orElse(DataType.FLOAT32);
        DataType type = dataType == null ? fallback : dataType;
        shapes.forEach(
                s ->
                        arrays.add(
                                type.isFloating()
                                        ? manager.ones(s, type)
                                        : manager.zeros(s, type)));
        return arrays;
    }
}
