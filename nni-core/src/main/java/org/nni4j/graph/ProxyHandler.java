package org.nni4j.graph;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** Stands between the network's code and an engine object. */
abstract class ProxyHandler implements InvocationHandler {

    final ProxySession session;

    ProxyHandler(ProxySession session) {
        this.session = session;
    }

    /** The engine object behind the proxy. */
    abstract Object target();

    static @Nullable Object call(Object target, Method method, @Nullable Object[] arguments)
            throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            // The network must see the engine's own exception.
            throw e.getCause();
        }
    }
}
