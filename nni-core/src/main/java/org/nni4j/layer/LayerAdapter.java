package org.nni4j.layer;

import static net.bytebuddy.matcher.ElementMatchers.isDeclaredBy;
import static net.bytebuddy.matcher.ElementMatchers.isFinal;
import static net.bytebuddy.matcher.ElementMatchers.isPublic;
import static net.bytebuddy.matcher.ElementMatchers.isVirtual;
import static net.bytebuddy.matcher.ElementMatchers.namedOneOf;
import static net.bytebuddy.matcher.ElementMatchers.not;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import ai.djl.ndarray.NDList;
import ai.djl.nn.AbstractBaseBlock;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.modifier.SyntheticState;
import net.bytebuddy.description.modifier.Visibility;
import net.bytebuddy.description.type.PackageDescription;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.loading.ClassLoadingStrategy;
import net.bytebuddy.dynamic.scaffold.subclass.ConstructorStrategy;
import net.bytebuddy.implementation.MethodCall;
import net.bytebuddy.matcher.ElementMatcher;
import org.objenesis.Objenesis;

/**
 * Makes an instance of a layer's own class that passes every forward on to a wrapper: for slots
 * that take nothing else, such as a field of type {@code Linear}.
 *
 * <p>The rest of what can be overridden goes to the original block. What cannot (final methods,
 * fields read from outside) works on a copy of the original's fields as they were when the network
 * was attached to.
 */
final class LayerAdapter {

    /*
     * The class is defined beside the layer's class, in its loader and package: only there may it extend a package-private
     * or private nested class. It names nothing but the JDK, DJL and the layer's class, because that loader need not see
     * this library; its state is two fields. The loader is the cache too: a class once defined is found again by name,
     * and goes when the layer's class goes.
     */
    private static final String SUFFIX = "$$Nni4jAdapter";
    private static final String WRAPPER = "nni4j$wrapper";
    private static final String ORIGINAL = "nni4j$original";

    private static final Class<?>[] FORWARD = {
        ParameterStore.class, NDList.class, boolean.class, PairList.class
    };
    private static final Class<?>[] FORWARD_WITH_LABELS = {
        ParameterStore.class, NDList.class, NDList.class, PairList.class
    };
    private static final Class<?>[] FORWARD_SHORT = {
        ParameterStore.class, NDList.class, boolean.class
    };

    private LayerAdapter() {}

    static boolean isAdapter(Object object) {
        return object.getClass().getName().endsWith(SUFFIX);
    }

    /** The block an adapter stands for. */
    static Block original(Block adapter) {
        try {
            return (Block) ownField(adapter.getClass(), ORIGINAL).get(adapter);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot read " + adapter.getClass().getName(), e);
        }
    }

    /**
     * Returns the adapter class of a layer class, generated at first use.
     *
     * @throws IllegalStateException if the class cannot be extended; the message is the reason only
     */
    static Class<?> classFor(Class<?> type) {
        checkExtensible(type);
        try {
            return Class.forName(type.getName() + SUFFIX, false, type.getClassLoader());
        } catch (ClassNotFoundException firstUse) {
            return define(type);
        }
    }

    /** Makes the adapter; it is complete after {@link #copyFields}. */
    static Block create(Class<?> adapterClass, Block original, Block wrapper, Objenesis instances) {
        try {
            Block adapter = (Block) instances.newInstance(adapterClass);
            ownField(adapterClass, ORIGINAL).set(adapter, original);
            ownField(adapterClass, WRAPPER).set(adapter, wrapper);
            return adapter;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot fill " + adapterClass.getName(), e);
        }
    }

    /** Copies what final methods and direct field reads see. */
    static void copyFields(Block original, Block adapter) {
        try {
            for (Class<?> c = original.getClass(); c != Object.class; c = c.getSuperclass()) {
                for (Field field : c.getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers())) {
                        field.setAccessible(true);
                        field.set(adapter, field.get(original));
                    }
                }
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot fill " + adapter.getClass().getName(), e);
        }
    }

    private static Field ownField(Class<?> adapterClass, String name) throws NoSuchFieldException {
        Field field = adapterClass.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    private static void checkExtensible(Class<?> type) {
        List<String> reasons = new ArrayList<>();
        if (Modifier.isFinal(type.getModifiers())) {
            reasons.add("is final");
        }
        if (type.isSealed()) {
            reasons.add("is sealed");
        }
        if (type.isHidden()) {
            reasons.add("is hidden");
        }
        Method forward = method(type, "forward", FORWARD);
        if (forward.getDeclaringClass() == AbstractBaseBlock.class) {
            forward = method(type, "forwardInternal", FORWARD);
        }
        if (Modifier.isFinal(forward.getModifiers())) {
            reasons.add("has a final " + forward.getName());
        }
        if (Modifier.isFinal(method(type, "forward", FORWARD_WITH_LABELS).getModifiers())) {
            reasons.add("has a final forward with labels");
        }
        if (!reasons.isEmpty()) {
            throw new IllegalStateException(type.getName() + " " + String.join(" and ", reasons));
        }
    }

    /** The most specific declaration, whatever its visibility. */
    private static Method method(Class<?> type, String name, Class<?>[] parameters) {
        for (Class<?> c = type; c != null; c = c.getSuperclass()) {
            try {
                return c.getDeclaredMethod(name, parameters);
            } catch (NoSuchMethodException declaredFurtherUp) {
                // the next class up has it
            }
        }
        try {
            return type.getMethod(name, parameters);
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException(type.getName() + " has no " + name, e);
        }
    }

    private static Class<?> define(Class<?> type) {
        try {
            return new ByteBuddy()
                    .subclass(type, ConstructorStrategy.Default.NO_CONSTRUCTORS)
                    .name(type.getName() + SUFFIX)
                    .modifiers(Visibility.PUBLIC, SyntheticState.SYNTHETIC)
                    .defineField(WRAPPER, Block.class, Visibility.PUBLIC, SyntheticState.SYNTHETIC)
                    .defineField(ORIGINAL, type, Visibility.PUBLIC, SyntheticState.SYNTHETIC)
                    .method(goesToOriginal(type))
                    .intercept(MethodCall.invokeSelf().onField(ORIGINAL).withAllArguments())
                    .method(forwards(FORWARD))
                    .intercept(toWrapper(FORWARD))
                    .method(forwards(FORWARD_WITH_LABELS))
                    .intercept(toWrapper(FORWARD_WITH_LABELS))
                    .method(forwards(FORWARD_SHORT))
                    .intercept(toWrapper(FORWARD_SHORT))
                    .make()
                    .load(
                            type.getClassLoader(),
                            ClassLoadingStrategy.UsingLookup.of(
                                    MethodHandles.privateLookupIn(type, MethodHandles.lookup())))
                    .getLoaded();
        } catch (LinkageError definedMeanwhile) {
            return defined(type, definedMeanwhile);
        } catch (IllegalAccessException | RuntimeException e) {
            throw new IllegalStateException(
                    type.getName() + " cannot be extended: " + e.getMessage(), e);
        }
    }

    private static Class<?> defined(Class<?> type, LinkageError cause) {
        try {
            return Class.forName(type.getName() + SUFFIX, false, type.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(
                    type.getName() + " cannot be extended: " + cause.getMessage(), cause);
        }
    }

    /**
     * Public methods, and those the adapter may call on another object because they are declared in
     * its package. The remaining protected ones are called by the public ones, hence on the
     * original. Equality stays the adapter's own: the original would not find itself equal to it.
     */
    private static ElementMatcher<MethodDescription> goesToOriginal(Class<?> type) {
        ElementMatcher<TypeDescription> inPackage = declaring -> samePackage(declaring, type);
        return isVirtual()
                .and(not(isFinal()))
                .and(not(namedOneOf("equals", "hashCode", "clone", "finalize")))
                .and(isPublic().or(isDeclaredBy(inPackage)));
    }

    private static ElementMatcher<MethodDescription> forwards(Class<?>[] parameters) {
        return namedOneOf("forward", "forwardInternal")
                .and(takesArguments(parameters))
                .and(not(isFinal()));
    }

    private static MethodCall toWrapper(Class<?>[] parameters) {
        try {
            return MethodCall.invoke(Block.class.getMethod("forward", parameters))
                    .onField(WRAPPER)
                    .withAllArguments();
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException("this version of DJL is not supported", e);
        }
    }

    private static boolean samePackage(TypeDescription declaring, Class<?> type) {
        PackageDescription declared = declaring.getPackage();
        return declared != null && declared.getName().equals(type.getPackageName());
    }
}
