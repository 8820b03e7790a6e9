package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** Stands for one memory manager. */
final class ManagerHandler extends ProxyHandler {

    private final NDManager real;

    ManagerHandler(ProxySession session, NDManager real) {
        super(session);
        this.real = real;
    }

    @Override
    NDManager target() {
        return real;
    }

    @Override
    public @Nullable Object invoke(
            Object self, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
        @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
        Operator operator = Operator.of(method);
        if (operator.kind() == Operator.Kind.CREATE && !takesArray(given)) {
            return session.create(real, operator, given);
        }
        Object result = call(real, method, Operands.unwrap(given));
        if (method.getName().equals("ret")) {
            return given[0];
        }
        boolean arrays = result instanceof NDArray || result instanceof NDList;
        return arrays && !takesArray(given) ? result : session.wrapResult(result);
    }

    /* from(array) and its like hand on an array that already has its stand-in. */
    private static boolean takesArray(@Nullable Object[] arguments) {
        return arguments.length > 0
                && (arguments[0] instanceof NDArray || arguments[0] instanceof NDList);
    }
}
