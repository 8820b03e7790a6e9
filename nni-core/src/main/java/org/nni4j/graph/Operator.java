package org.nni4j.graph;

import ai.djl.ndarray.BytesSupplier;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDResource;
import ai.djl.ndarray.internal.NDArrayEx;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What a call of an array's or manager's method means to the graph.
 *
 * @param kind what the call is
 * @param name the canonical operator name; the method's own name if it is not in the {@link
 *     OperatorTable}
 * @param method the called Java method
 * @param arguments the arguments' names; shorter than the argument list for unknown methods
 * @param defaults attributes the shorter overloads leave out
 * @param receiverRole the role of the array the method is called on; empty if it is no operand
 */
record Operator(
        Kind kind,
        String name,
        Method method,
        List<String> arguments,
        Map<String, Object> defaults,
        String receiverRole) {

    enum Kind {
        /** Computes one or more new arrays. */
        COMPUTE,
        /** Overwrites the array it is called on (or, for copyTo, its argument). */
        IN_PLACE,
        /** Makes an array out of nothing. */
        CREATE,
        /** Reads elements into Java. */
        READ,
        /** Asks for shape, type, owner and the like. */
        ASK,
        /** A method of the engine's own class: the array is handed to native code. */
        ESCAPE
    }

    private static final Set<String> IN_PLACE_METHODS =
            Set.of(
                    "addi", "subi", "muli", "divi", "modi", "powi", "signi", "negi", "rdivi",
                    "rsubi", "rmodi", "rpowi");

    /* Methods that neither compute nor read elements. toString is one: a debugger must not change the graph. */
    private static final Set<String> ASKING_METHODS =
            Set.of(
                    "getName",
                    "setName",
                    "getUid",
                    "getDataType",
                    "getDevice",
                    "getShape",
                    "getSparseFormat",
                    "isSparse",
                    "isScalar",
                    "size",
                    "isEmpty",
                    "hasGradient",
                    "setRequiresGradient",
                    "getManager",
                    "attach",
                    "returnResource",
                    "tempAttach",
                    "detach",
                    "getResourceNDArrays",
                    "isReleased",
                    "close",
                    "shapeEquals",
                    "toString",
                    "toDebugString",
                    "hashCode",
                    "getNDArrayInternal",
                    "getArray",
                    "getIndexer");

    /* NDArrayEx methods that get all operands as arguments; the array they are called on only picks the engine. */
    private static final Set<String> RECEIVER_FREE =
            Set.of(
                    "convolution",
                    "deconvolution",
                    "linear",
                    "embedding",
                    "prelu",
                    "dropout",
                    "layerNorm",
                    "batchNorm",
                    "rnn",
                    "gru",
                    "lstm",
                    "multiBoxTarget",
                    "multiBoxDetection");

    private static final Map<Method, Operator> KNOWN = new ConcurrentHashMap<>();

    static Operator of(Method method) {
        return KNOWN.computeIfAbsent(method, Operator::classify);
    }

    /** Whether new numbers are drawn from the engine's generator. */
    boolean random() {
        return name.startsWith("Random")
                || method.getName().equals("truncatedNormal")
                || method.getName().startsWith("sample");
    }

    private static Operator classify(Method method) {
        OperatorTable.Entry entry = OperatorTable.find(method);
        boolean receiverFree = RECEIVER_FREE.contains(method.getName());
        return new Operator(
                kindOf(method),
                entry.operator(),
                method,
                entry.arguments(),
                entry.defaults(),
                receiverFree ? "" : entry.receiverRole());
    }

    private static Kind kindOf(Method method) {
        String name = method.getName();
        Class<?> result = method.getReturnType();
        if (NDManager.class.isAssignableFrom(method.getDeclaringClass())) {
            return returnsArrays(result) ? Kind.CREATE : Kind.ASK;
        }
        if (ASKING_METHODS.contains(name)) {
            return Kind.ASK;
        }
        if (!declaredByInterface(method)) {
            return Kind.ESCAPE;
        }
        if (IN_PLACE_METHODS.contains(name)) {
            return Kind.IN_PLACE;
        }
        if (returnsArrays(result)) {
            return Kind.COMPUTE;
        }
        return result == void.class ? Kind.IN_PLACE : Kind.READ;
    }

    private static boolean returnsArrays(Class<?> type) {
        return NDArray.class.isAssignableFrom(type) || NDList.class.isAssignableFrom(type);
    }

    /* The engine's classes narrow return types, so the method object is theirs even for interface methods. */
    private static boolean declaredByInterface(Method method) {
        return List.of(
                        NDArray.class,
                        NDArrayEx.class,
                        NDResource.class,
                        BytesSupplier.class,
                        Object.class)
                .stream()
                .anyMatch(type -> declares(type, method));
    }

    private static boolean declares(Class<?> type, Method method) {
        return Arrays.stream(type.getDeclaredMethods())
                .anyMatch(
                        m ->
                                m.getName().equals(method.getName())
                                        && Arrays.equals(
                                                m.getParameterTypes(), method.getParameterTypes()));
    }
}
