package org.nni4j.graph;

import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** Stands for the {@code NDArrayEx} of one array. */
final class ExtensionHandler extends ProxyHandler {

    private final ArrayHandler owner;

    ExtensionHandler(ArrayHandler owner) {
        super(owner.session);
        this.owner = owner;
    }

    @Override
    Object target() {
        return owner.target().getNDArrayInternal();
    }

    @Override
    public @Nullable Object invoke(
            Object self, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
        @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
        if (method.getName().equals("getArray")) {
            return owner.proxy();
        }
        Operator operator = Operator.of(method);
        return switch (operator.kind()) {
            case COMPUTE, IN_PLACE -> session.compute(owner, target(), operator, given);
            default -> call(target(), method, Operands.unwrap(given));
        };
    }
}
