package org.nni4j.graph;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterServer;
import ai.djl.training.ParameterStore;
import java.lang.reflect.Method;
import java.nio.Buffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One run of a layer some of whose operators are interposed, or by a subclass computed otherwise.
 */
class InterposedRun extends ProxySession {

    private static final Map<Method, Optional<Method>> OUT_OF_PLACE = new ConcurrentHashMap<>();

    private final Map<GraphInterposer.Site, Interposition> sites;
    private final Set<String> kinds;
    private final ParameterStore realStore;
    private final boolean training;
    private final Map<String, Integer> counts = new HashMap<>();

    InterposedRun(
            Map<GraphInterposer.Site, Interposition> sites,
            ParameterStore store,
            boolean training) {
        this.sites = sites;
        this.kinds =
                sites.keySet().stream().map(GraphInterposer.Site::op).collect(Collectors.toSet());
        this.realStore = store;
        this.training = training;
    }

    /** Stand-ins for what the interposed layer is given. */
    NDList receive(NDList arrays) {
        return mapped(arrays, array -> receive(Operands.real(array)).proxy());
    }

    /** Stand-ins for what a layer below returned. */
    NDList adopt(NDList arrays) {
        return mapped(arrays, array -> adopt(Operands.real(array)).proxy());
    }

    /** The arrays that the interposed layer returns. */
    NDList release(NDList arrays) {
        return mapped(arrays, this::release);
    }

    static NDList unwrap(NDList arrays) {
        return mapped(arrays, Operands::real);
    }

    private static NDList mapped(NDList arrays, UnaryOperator<NDArray> function) {
        NDList mapped = new NDList(arrays.size());
        arrays.forEach(array -> mapped.add(function.apply(array)));
        return mapped;
    }

    @Override
    @Nullable Object compute(
            ArrayHandler receiver, Object target, Operator operator, @Nullable Object[] arguments)
            throws Throwable {
        Interposition interposition = find(receiver, operator, arguments);
        if (interposition == null) {
            Object result =
                    ProxyHandler.call(target, operator.method(), Operands.unwrap(arguments));
            return operator.kind() == Operator.Kind.IN_PLACE
                    ? (result == null ? null : receiver.proxy())
                    : wrapResult(result);
        }
        return new Call(receiver, operator, interposition).run(target, arguments);
    }

    /* Counts as the tracer does. A buffer that fills an array is no operator there either. */
    private @Nullable Interposition find(
            ArrayHandler receiver, Operator operator, @Nullable Object[] arguments) {
        if (arguments.length == 1 && arguments[0] instanceof Buffer) {
            return null;
        }
        String op = CallDescription.opOf(operator, receiver.target().getShape(), arguments);
        if (!kinds.contains(op)) {
            return null;
        }
        return sites.get(new GraphInterposer.Site(op, counts.merge(op, 1, Integer::sum)));
    }

    /** One call of an interposed operator. */
    private final class Call {
        private final ArrayHandler receiver;
        private final Operator operator;
        private final Interposition interposition;
        private int operands;
        private @Nullable List<NDArray> replaced;

        Call(ArrayHandler receiver, Operator operator, Interposition interposition) {
            this.receiver = receiver;
            this.operator = operator;
            this.interposition = interposition;
        }

        @Nullable Object run(Object target, @Nullable Object[] arguments) throws Throwable {
            NDArray on = receiver.target();
            Interposition.JointFunction together = interposition.together();
            if (together != null) {
                replaced = together.apply(operands(on, arguments), realStore, training);
            }
            if (!operator.receiverRole().isEmpty()) {
                on = input(on);
            }
            @Nullable Object[] real =
                    Operands.map(operator, arguments, (role, array) -> input(Operands.real(array)));
            // An in-place operator would overwrite what the functions returned, and gradients may
            // need that.
            Method method = outOfPlace(operator.method()).orElse(operator.method());
            Object result =
                    ProxyHandler.call(
                            target instanceof NDArrayEx ? on.getNDArrayInternal() : on,
                            method,
                            real);
            if (operator.kind() == Operator.Kind.IN_PLACE) {
                rebind(receiver, output(0, result instanceof NDArray array ? array : on));
                return result == null ? null : receiver.proxy();
            }
            return wrapResult(outputs(result));
        }

        private List<NDArray> operands(NDArray on, @Nullable Object[] arguments) {
            List<NDArray> all = new ArrayList<>();
            if (!operator.receiverRole().isEmpty()) {
                all.add(on);
            }
            Operands.map(
                    operator,
                    arguments,
                    (role, array) -> {
                        all.add(Operands.real(array));
                        return array;
                    });
            return all;
        }

        private NDArray input(NDArray real) {
            if (replaced != null) {
                return replaced.get(operands++);
            }
            return apply(interposition.inputs().get(operands++), real);
        }

        private @Nullable Object outputs(@Nullable Object result) {
            if (result instanceof NDArray array) {
                return output(0, array);
            }
            NDList replaced = new NDList();
            if (result instanceof NDList list) {
                list.forEach(array -> replaced.add(output(replaced.size(), array)));
            }
            return replaced;
        }

        private NDArray output(int position, NDArray real) {
            return apply(interposition.outputs().get(position), real);
        }

        private NDArray apply(Interposition.@Nullable TensorFunction function, NDArray real) {
            return function == null ? real : function.apply(real, realStore, training);
        }
    }

    /* add for addi, and so on. */
    private static Optional<Method> outOfPlace(Method method) {
        return OUT_OF_PLACE.computeIfAbsent(method, InterposedRun::findOutOfPlace);
    }

    private static Optional<Method> findOutOfPlace(Method method) {
        String name = method.getName();
        if (Operator.of(method).kind() != Operator.Kind.IN_PLACE || !name.endsWith("i")) {
            return Optional.empty();
        }
        try {
            String twin = name.substring(0, name.length() - 1);
            return Optional.of(
                    method.getDeclaringClass().getMethod(twin, method.getParameterTypes()));
        } catch (NoSuchMethodException e) {
            return Optional.empty();
        }
    }

    @Override
    @Nullable Object create(NDManager manager, Operator operator, @Nullable Object[] arguments)
            throws Throwable {
        return wrapResult(
                ProxyHandler.call(manager, operator.method(), Operands.unwrap(arguments)));
    }

    @Override
    void read(ArrayHandler array, Method method) {
        // A network may read what it computes.
    }

    @Override
    void escape(ArrayHandler array, Method method) {
        // Native code works on the array itself; what comes back is no operator of the graph.
    }

    /** The store for the interposed layer's own code. */
    ParameterStore store() {
        return new Store();
    }

    /** The pass's own store behind the one given to a layer below. */
    ParameterStore behind(ParameterStore store) {
        return store instanceof Store ? realStore : store;
    }

    /** Hands out parameters with stand-ins. */
    private final class Store extends ParameterStore {

        Store() {
            super(realStore.getManager(), false);
        }

        @Override
        public void setParameterServer(ParameterServer parameterServer, Device[] devices) {
            realStore.setParameterServer(parameterServer, devices);
        }

        @Override
        public void updateAllParameters() {
            realStore.updateAllParameters();
        }

        @Override
        @SuppressWarnings(
                "NullAway") // DJL asks for parameters a block does not have, and expects null
        public @Nullable NDArray getValue(
                @Nullable Parameter parameter, Device device, boolean pass) {
            NDArray value = realStore.getValue(parameter, device, pass);
            return value == null ? null : receive(value).proxy();
        }

        @Override
        public NDManager getManager() {
            return InterposedRun.this.wrap(realStore.getManager());
        }

        @Override
        public void sync() {
            realStore.sync();
        }
    }
}
