package org.nni4j.graph;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Computes operators of the engine otherwise while a layer's own code runs: an LSTM, for instance,
 * is a single operator, and nothing inside it can be interposed.
 *
 * <p>The layer's code computes with stand-ins of arrays and is not changed, so what it does around
 * the operator (making a state of zeros, dropping outputs) stays as it is. A substitution holds no
 * state; any number of threads may run it.
 */
public final class Substitution {

    /** Computes an operator. */
    @FunctionalInterface
    public interface Computation {

        /**
         * Computes an operator in the engine's place.
         *
         * @param arguments as the layer's code gives them to the method of {@link NDArrayEx}, in
         *     its order, null where it gives null; arrays are ordinary ones
         * @return what that method would return
         */
        NDList compute(List<@Nullable Object> arguments);
    }

    private final Map<String, Computation> computations;

    /**
     * Makes a substitution.
     *
     * @param computations by the name of a method of {@link NDArrayEx} that returns a list, for
     *     instance {@code "lstm"}
     * @throws IllegalArgumentException if there is no such method; the message names it
     */
    public Substitution(Map<String, Computation> computations) {
        this.computations = Map.copyOf(computations);
        for (String name : computations.keySet()) {
            if (Arrays.stream(NDArrayEx.class.getMethods())
                    .noneMatch(
                            m -> m.getName().equals(name) && m.getReturnType() == NDList.class)) {
                throw new IllegalArgumentException(
                        "\"" + name + "\" is no operator of the engine that returns a list");
            }
        }
    }

    /**
     * Runs a layer's own code.
     *
     * @param store where it fetches parameters
     * @param inputs of the layer
     * @param training whether it is a training pass
     * @param layer the layer's forward pass, from store and inputs to outputs; layers it calls are
     *     substituted too
     * @return the outputs, ordinary arrays
     * @throws IllegalStateException if the layer's code called none of the operators: what was to
     *     be replaced would silently have stayed
     */
    public NDList run(
            ParameterStore store,
            NDList inputs,
            boolean training,
            BiFunction<ParameterStore, NDList, NDList> layer) {
        Run run = new Run(store, training);
        NDList outputs = run.release(layer.apply(run.store(), run.receive(inputs)));
        if (!run.computed) {
            throw new IllegalStateException(
                    "the layer's code calls none of the operators " + names());
        }
        return outputs;
    }

    private Set<String> names() {
        return new java.util.TreeSet<>(computations.keySet());
    }

    private final class Run extends InterposedRun {

        private boolean computed;

        Run(ParameterStore store, boolean training) {
            super(Map.of(), store, training);
        }

        @Override
        @Nullable Object compute(
                ArrayHandler receiver,
                Object target,
                Operator operator,
                @Nullable Object[] arguments)
                throws Throwable {
            Computation computation =
                    target instanceof NDArrayEx
                            ? computations.get(operator.method().getName())
                            : null;
            if (computation == null) {
                return super.compute(receiver, target, operator, arguments);
            }
            computed = true;
            List<@Nullable Object> real =
                    Collections.unmodifiableList(Arrays.asList(Operands.unwrap(arguments)));
            return wrapResult(computation.compute(real));
        }
    }
}
