package org.nni4j.graph;

import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Modifier;
import java.util.Optional;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.description.modifier.Visibility;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.dynamic.loading.ClassLoadingStrategy;
import net.bytebuddy.dynamic.scaffold.subclass.ConstructorStrategy;
import net.bytebuddy.implementation.FieldAccessor;
import net.bytebuddy.implementation.InvocationHandlerAdapter;
import net.bytebuddy.matcher.ElementMatchers;
import org.jspecify.annotations.Nullable;
import org.objenesis.ObjenesisStd;
import org.objenesis.instantiator.ObjectInstantiator;

/** Makes stand-ins for the engine's objects that hand every call to a {@link ProxyHandler}. */
final class Proxies {
    /*
     * A stand-in is a subclass of the engine's own class, not a proxy of the interface: DJL's blocks, native symbol blocks
     * and many users cast an NDArray to the engine's class, and the engine narrows return types. The subclass has no
     * constructor (Objenesis makes the instances), so it owns no native memory; its fields stay empty.
     */

    private static final ObjenesisStd OBJENESIS = new ObjenesisStd(true);

    /** What a generated class adds to the engine's. */
    interface Proxy {
        InvocationHandler nni4jHandler();

        void nni4jHandler(InvocationHandler handler);
    }

    /** The instantiator of a class's stand-ins, and the field a final accessor reads. */
    private record Generated(ObjectInstantiator<?> instantiator, Optional<Field> uid) {}

    private static final ClassValue<Generated> GENERATED =
            new ClassValue<>() {
                @Override
                protected Generated computeValue(Class<?> type) {
                    Class<?> generated = generate(type);
                    return new Generated(OBJENESIS.getInstantiatorOf(generated), uidField(type));
                }
            };

    private Proxies() {}

    /** Whether stand-ins can be made for objects of the class. */
    static boolean supports(Class<?> type) {
        return !Modifier.isFinal(type.getModifiers());
    }

    static Object create(Object target, ProxyHandler handler) {
        Generated generated = GENERATED.get(target.getClass());
        Object proxy = generated.instantiator().newInstance();
        ((Proxy) proxy).nni4jHandler(handler);
        generated.uid().ifPresent(field -> copy(field, target, proxy));
        return proxy;
    }

    /** The handler behind a stand-in; null for anything else. */
    static @Nullable ProxyHandler handlerOf(@Nullable Object object) {
        return object instanceof Proxy proxy ? (ProxyHandler) proxy.nni4jHandler() : null;
    }

    /* Two threads may meet a class for the first time; the second finds what the first defined. */
    private static synchronized Class<?> generate(Class<?> type) {
        String name =
                Proxies.class.getPackageName() + ".Traced$" + type.getName().replace('.', '$');
        try {
            return Class.forName(name, true, Proxies.class.getClassLoader());
        } catch (ClassNotFoundException firstUse) {
            return generate(type, name);
        }
    }

    private static Class<?> generate(Class<?> type, String name) {
        DynamicType.Builder<?> builder =
                new ByteBuddy()
                        .subclass(type, ConstructorStrategy.Default.NO_CONSTRUCTORS)
                        .name(name);
        return builder.defineField("nni4jHandler", InvocationHandler.class, Visibility.PRIVATE)
                .method(
                        ElementMatchers.isPublic()
                                .and(ElementMatchers.not(ElementMatchers.isFinal())))
                .intercept(InvocationHandlerAdapter.toField("nni4jHandler"))
                .implement(Proxy.class)
                .intercept(FieldAccessor.ofField("nni4jHandler"))
                .make()
                .load(
                        Proxies.class.getClassLoader(),
                        ClassLoadingStrategy.UsingLookup.of(MethodHandles.lookup()))
                .getLoaded();
    }

    /* NativeResource.getUid is final, and managers register arrays under what it returns. */
    private static Optional<Field> uidField(Class<?> type) {
        for (Class<?> c = type; c != null; c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                if (field.getName().equals("uid") && field.trySetAccessible()) {
                    return Optional.of(field);
                }
            }
        }
        return Optional.empty();
    }

    private static void copy(Field field, Object from, Object to) {
        try {
            field.set(to, field.get(from));
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("field " + field + " cannot be set", e);
        }
    }
}
