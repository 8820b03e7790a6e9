package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import java.lang.reflect.Method;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One forward pass seen through stand-ins: keeps which array has which, and is told of every call.
 * One thread.
 */
abstract class ProxySession {

    private final IdentityHashMap<NDArray, ArrayHandler> handlers = new IdentityHashMap<>();
    private final IdentityHashMap<NDManager, NDManager> managers = new IdentityHashMap<>();

    /**
     * Runs an operator.
     *
     * @param receiver the array it is called on
     * @param target what to call it on: the array or its NDArrayEx
     * @param operator what it is
     * @param arguments as the network gave them, stand-ins included
     * @return what the network gets
     */
    abstract @Nullable Object compute(
            ArrayHandler receiver, Object target, Operator operator, @Nullable Object[] arguments)
            throws Throwable;

    /** Runs a manager's method that makes arrays. */
    abstract @Nullable Object create(
            NDManager manager, Operator operator, @Nullable Object[] arguments) throws Throwable;

    /** The network reads elements. */
    abstract void read(ArrayHandler array, Method method);

    /** Native code gets the array's handle. */
    abstract void escape(ArrayHandler array, Method method);

    /**
     * The handler of an array of this session, given as the stand-in or the array itself; null for
     * a foreign array.
     */
    final @Nullable ArrayHandler handlerOf(NDArray array) {
        if (Proxies.handlerOf(array) instanceof ArrayHandler handler) {
            return handler;
        }
        return handlers.get(array);
    }

    /**
     * The handler of a real array that was made inside the session; a new one for an array not seen
     * before.
     */
    final ArrayHandler adopt(NDArray real) {
        ArrayHandler known = handlers.get(real);
        if (known != null) {
            return known;
        }
        // A scope that the network opened must close or keep what the network sees.
        NDScope.unregister(real);
        ArrayHandler handler = receive(real);
        NDScope.register(handler.proxy());
        handler.madeInside = true;
        return handler;
    }

    /**
     * The handler of a real array that came from outside: its scope, if it has one, goes on holding
     * the array itself.
     */
    final ArrayHandler receive(NDArray real) {
        return handlers.computeIfAbsent(real, array -> new ArrayHandler(this, array));
    }

    /**
     * The array behind a stand-in that leaves the session; code outside may take it out of a scope.
     */
    final NDArray release(NDArray array) {
        if (!(Proxies.handlerOf(array) instanceof ArrayHandler handler)) {
            return array;
        }
        if (handler.madeInside) {
            NDScope.unregister(array);
            NDScope.register(handler.target());
        }
        return handler.target();
    }

    /** Follows an array whose handler now stands for another real array. */
    final void rebind(ArrayHandler handler, NDArray real) {
        handlers.remove(handler.target());
        handler.bind(real);
        handlers.put(real, handler);
    }

    final NDManager wrap(NDManager manager) {
        if (Proxies.handlerOf(manager) != null || !Proxies.supports(manager.getClass())) {
            return manager;
        }
        return managers.computeIfAbsent(
                manager, m -> (NDManager) Proxies.create(m, new ManagerHandler(this, m)));
    }

    /** Gives the stand-in where there is one to give. */
    final @Nullable Object wrapResult(@Nullable Object result) {
        if (result instanceof NDArray array) {
            return adopt(array).proxy();
        }
        if (result instanceof NDList list) {
            NDList wrapped = new NDList(list.size());
            list.forEach(array -> wrapped.add(adopt(array).proxy()));
            return wrapped;
        }
        return result instanceof NDManager manager ? wrap(manager) : result;
    }
}
