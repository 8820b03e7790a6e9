package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.internal.NDArrayEx;
import java.lang.reflect.Method;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Stands for one array. */
final class ArrayHandler extends ProxyHandler {

    private NDArray real;
    private final NDArray proxy;
    private @Nullable NDArrayEx internal;

    /** The graph's value this array holds now; null outside a trace. */
    @Nullable Value value;

    /** The arrays that share memory with this one, itself included; null if it is alone. */
    @Nullable List<ArrayHandler> views;

    /**
     * Whether its memory was overwritten through another view since {@link #value} was computed.
     */
    boolean outOfDate;

    /**
     * Whether the array was made while the session watched, so that its scope holds the stand-in.
     */
    boolean madeInside;

    ArrayHandler(ProxySession session, NDArray real) {
        super(session);
        this.real = real;
        this.proxy = (NDArray) Proxies.create(real, this);
    }

    @Override
    NDArray target() {
        return real;
    }

    NDArray proxy() {
        return proxy;
    }

    void bind(NDArray array) {
        real = array;
    }

    @Override
    public @Nullable Object invoke(
            Object self, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
        @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
        Operator operator = Operator.of(method);
        return switch (operator.kind()) {
            case ASK -> ask(method, given);
            case READ -> {
                if (method.getName().equals("equals") && given[0] == self) {
                    yield true;
                }
                session.read(this, method);
                yield call(real, method, Operands.unwrap(given));
            }
            case ESCAPE -> {
                session.escape(this, method);
                yield call(real, method, Operands.unwrap(given));
            }
            default -> setByFunction(given) ? null : session.compute(this, real, operator, given);
        };
    }

    private @Nullable Object ask(Method method, @Nullable Object[] arguments) throws Throwable {
        return switch (method.getName()) {
            case "getNDArrayInternal" -> internal();
            case "getResourceNDArrays" -> List.of(proxy);
            case "getManager" -> session.wrap(real.getManager());
            default -> call(real, method, Operands.unwrap(arguments));
        };
    }

    private NDArrayEx internal() {
        if (internal == null) {
            NDArrayEx target = real.getNDArrayInternal();
            internal = (NDArrayEx) Proxies.create(target, new ExtensionHandler(this));
        }
        return internal;
    }

    /* set(index, function) would call the function with an array the session does not see. */
    @SuppressWarnings("unchecked") // NDArray declares the function as NDArray to NDArray
    private boolean setByFunction(@Nullable Object[] arguments) {
        if (arguments.length == 2
                && arguments[0] instanceof NDIndex index
                && arguments[1] instanceof Function<?, ?> function) {
            proxy.set(index, ((Function<NDArray, NDArray>) function).apply(proxy.get(index)));
            return true;
        }
        return false;
    }
}
