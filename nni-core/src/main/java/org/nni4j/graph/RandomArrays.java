package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Draws what a network draws from its manager without touching the engine's generator. */
final class RandomArrays {

    private static final Set<String> SUPPORTED =
            Set.of(
                    "RandomUniform",
                    "RandomNormal",
                    "RandomTruncatedNormal",
                    "RandomInteger",
                    "RandomPermutation");

    private RandomArrays() {}

    static boolean supports(Operator operator) {
        return SUPPORTED.contains(operator.name()) && !operator.arguments().contains("mu");
    }

    static NDArray draw(NDManager manager, Operator operator, @Nullable Object[] arguments) {
        // The same numbers in each trace; they only have to be in range.
        Random random = new Random(0);
        Shape shape =
                new Shape(argument(operator, arguments, "size", Number.class, 1L).longValue());
        shape = argument(operator, arguments, "shape", Shape.class, shape);
        int size = Math.toIntExact(shape.size());
        boolean whole = List.of("RandomInteger", "RandomPermutation").contains(operator.name());
        DataType type =
                argument(
                        operator,
                        arguments,
                        "dtype",
                        DataType.class,
                        whole ? DataType.INT64 : DataType.FLOAT32);
        double low = argument(operator, arguments, "low", Number.class, 0).doubleValue();
        double high = argument(operator, arguments, "high", Number.class, 1).doubleValue();
        double loc = argument(operator, arguments, "loc", Number.class, 0).doubleValue();
        double scale = argument(operator, arguments, "scale", Number.class, 1).doubleValue();
        double[] drawn = new double[size];
        for (int i = 0; i < size; i++) {
            drawn[i] =
                    switch (operator.name()) {
                        case "RandomPermutation" -> i;
                        case "RandomInteger" ->
                                Math.floor(low + (high - low) * random.nextDouble());
                        case "RandomUniform" -> low + (high - low) * random.nextDouble();
                        default -> loc + scale * Math.max(-2, Math.min(2, random.nextGaussian()));
                    };
        }
        try (NDArray doubles = manager.create(drawn, shape)) {
            return doubles.toType(type, true);
        }
    }

    private static <T> T argument(
            Operator operator, @Nullable Object[] arguments, String name, Class<T> type, T absent) {
        int i = operator.arguments().indexOf(name);
        return i >= 0 && i < arguments.length && type.isInstance(arguments[i])
                ? type.cast(arguments[i])
                : absent;
    }
}
