package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import java.lang.reflect.Method;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Writes down every operator of one pass. */
final class TraceRecorder extends ProxySession {

    /* PyTorch operators whose result shares memory with the array they are called on. */
    private static final Set<String> VIEWS =
            Set.of(
                    "Reshape",
                    "Flatten",
                    "ExpandDims",
                    "Squeeze",
                    "Transpose",
                    "Slice",
                    "Split",
                    "Broadcast",
                    "Diagonal",
                    "StopGradient",
                    "Dropout");

    private static final Set<String> DATA_DEPENDENT = Set.of("NonZero", "Unique", "BooleanMask");

    private final PathTracker path = new PathTracker();
    private final List<Node> nodes = new ArrayList<>();
    private final List<Value> inputs = new ArrayList<>();
    private final List<Readback> readbacks = new ArrayList<>();
    private final List<Value> escaped = new ArrayList<>();
    private String escapedBy = "";
    private int values;
    private int constants;

    PathTracker path() {
        return path;
    }

    /** Runs a layer; an array it made out of sight gets its stand-in as it leaves. */
    NDList within(String layer, String type, Supplier<NDList> forward) {
        path.enter(layer, type);
        try {
            return outputs(forward.get());
        } catch (RuntimeException e) {
            path.fail();
            throw e;
        } finally {
            path.leave();
        }
    }

    /** Takes a copy of an input of the network and returns its stand-in. */
    NDArray input(NDArray copy) {
        String name = "input" + inputs.size();
        Value value = value(name, Value.Kind.INPUT, copy, null, null);
        inputs.add(value);
        return adopt(copy, value);
    }

    /** Takes a copy of a parameter and returns its stand-in. */
    NDArray parameter(NDArray copy, ParameterRead read) {
        return adopt(copy, value(read.toString(), Value.Kind.PARAMETER, copy, read, null));
    }

    Graph graph(NDList outputs, boolean training) {
        List<Value> returned = new ArrayList<>();
        for (NDArray array : outputs) {
            ArrayHandler handler = operand(array);
            returned.add(Objects.requireNonNull(handler.value));
        }
        return new Graph(nodes, inputs, returned, readbacks, training);
    }

    private NDList outputs(NDList outputs) {
        NDList seen = new NDList(outputs.size());
        outputs.forEach(array -> seen.add(operand(array).proxy()));
        return seen;
    }

    @Override
    @Nullable Object compute(
            ArrayHandler receiver, Object target, Operator operator, @Nullable Object[] arguments)
            throws Throwable {
        if (arguments.length == 1 && arguments[0] instanceof Buffer) {
            return fill(receiver, target, operator, arguments);
        }
        List<Value> read = new ArrayList<>();
        List<String> roles = new ArrayList<>();
        if (!operator.receiverRole().isEmpty()) {
            read.add(valueOf(receiver, operator.method().getName()));
            roles.add(operator.receiverRole());
        }
        @Nullable Object[] real =
                Operands.map(
                        operator,
                        arguments,
                        (role, array) -> {
                            ArrayHandler operand = operand(array);
                            read.add(valueOf(operand, operator.method().getName()));
                            roles.add(role);
                            return operand.target();
                        });
        CallDescription call =
                CallDescription.of(operator, receiver.target().getShape(), arguments);
        silenceGenerator(operator, real);
        Object result = ProxyHandler.call(target, operator.method(), real);
        Pending pending = new Pending(operator, call, read, roles);
        if (operator.kind() == Operator.Kind.IN_PLACE) {
            overwrite(written(receiver, operator, arguments), pending);
            return result == null ? null : receiver.proxy();
        }
        return record(receiver, pending, result);
    }

    /** A call that is done but not written down yet. */
    private record Pending(
            Operator operator, CallDescription call, List<Value> inputs, List<String> roles) {}

    private @Nullable Object record(
            ArrayHandler receiver, Pending pending, @Nullable Object result) {
        List<NDArray> made =
                result instanceof NDArray array
                        ? List.of(array)
                        : List.copyOf((NDList) orEmpty(result));
        // toType and toDevice return the array itself where nothing is to do.
        if (made.stream().allMatch(array -> handlerOf(array) != null)) {
            return wrapResult(result);
        }
        List<ArrayHandler> handlers = made.stream().map(this::adopt).toList();
        Node node = add(pending, made, false);
        for (int i = 0; i < handlers.size(); i++) {
            handlers.get(i).value = node.outputs().get(i);
            if (VIEWS.contains(node.op())) {
                share(receiver, handlers.get(i));
            }
        }
        if (DATA_DEPENDENT.contains(node.op())) {
            note(Readback.Kind.DATA_DEPENDENT_SHAPE, node.outputs().get(0), node.method());
        }
        return wrapResult(result);
    }

    private static Object orEmpty(@Nullable Object result) {
        return result == null ? new NDList() : result;
    }

    private void overwrite(ArrayHandler written, Pending pending) {
        Node node = add(pending, List.of(written.target()), true);
        written.value = node.outputs().get(0);
        markViews(written);
    }

    private static void markViews(ArrayHandler written) {
        written.outOfDate = false;
        if (written.views != null) {
            written.views.stream()
                    .filter(view -> view != written)
                    .forEach(view -> view.outOfDate = true);
        }
    }

    private static void share(ArrayHandler one, ArrayHandler other) {
        if (one.views == null) {
            one.views = new ArrayList<>(List.of(one));
        }
        one.views.add(other);
        other.views = one.views;
        other.outOfDate = one.outOfDate;
    }

    /* copyTo writes to its argument. */
    private ArrayHandler written(
            ArrayHandler receiver, Operator operator, @Nullable Object[] arguments) {
        return operator.method().getName().equals("copyTo")
                        && arguments[0] instanceof NDArray target
                ? operand(target)
                : receiver;
    }

    private Node add(Pending pending, List<NDArray> made, boolean inPlace) {
        String op = pending.call().op();
        PathTracker.Run run = path.current();
        String name = path.name(op);
        List<Value> outputs = new ArrayList<>();
        for (NDArray array : made) {
            String valueName = outputs.isEmpty() ? name : name + ":" + outputs.size();
            outputs.add(value(valueName, Value.Kind.COMPUTED, array, null, null));
        }
        Node node =
                new Node(
                        nodes.size(),
                        name,
                        op,
                        pending.operator().method().getName(),
                        run.path,
                        run.type,
                        run.number,
                        run.next(op),
                        pending.inputs(),
                        pending.roles(),
                        outputs,
                        pending.call().attributes(),
                        inPlace);
        nodes.add(node);
        return node;
    }

    /* set(buffer) makes the array a constant, whatever it was. */
    private @Nullable Object fill(
            ArrayHandler receiver, Object target, Operator operator, @Nullable Object[] arguments)
            throws Throwable {
        Object result = ProxyHandler.call(target, operator.method(), arguments);
        receiver.value = constant(receiver.target(), "set", Map.of(), true);
        markViews(receiver);
        return result;
    }

    @Override
    @Nullable Object create(NDManager owner, Operator operator, @Nullable Object[] arguments)
            throws Throwable {
        boolean random = operator.random();
        Object result =
                random && RandomArrays.supports(operator)
                        ? RandomArrays.draw(owner, operator, arguments)
                        : ProxyHandler.call(owner, operator.method(), Operands.unwrap(arguments));
        Map<String, Object> attributes =
                CallDescription.of(operator, new Shape(), arguments).attributes();
        List<NDArray> made =
                result instanceof NDArray array
                        ? List.of(array)
                        : List.copyOf((NDList) orEmpty(result));
        for (NDArray array : made) {
            ArrayHandler handler = adopt(array);
            boolean keep = !Set.of("zeros", "ones", "full").contains(operator.name());
            handler.value = constant(array, operator.method().getName(), attributes, keep);
            if (random) {
                note(Readback.Kind.RANDOM, handler.value, operator.method().getName());
            }
        }
        return wrapResult(result);
    }

    @Override
    void read(ArrayHandler array, Method method) {
        note(Readback.Kind.READ, valueOf(array, method.getName()), method.getName());
    }

    @Override
    void escape(ArrayHandler array, Method method) {
        Value value = valueOf(array, method.getName());
        if (!escaped.contains(value)) {
            escaped.add(value);
        }
        escapedBy = caller();
    }

    /* The engine's method, or the network's, that asked for the native handle. */
    private static String caller() {
        return StackWalker.getInstance()
                .walk(
                        frames ->
                                frames.filter(f -> !f.getClassName().startsWith("org.nni4j.graph."))
                                        .filter(f -> !f.getClassName().startsWith("java."))
                                        .filter(f -> !f.getClassName().startsWith("jdk."))
                                        .filter(f -> !f.getMethodName().equals("getHandle"))
                                        .map(
                                                f ->
                                                        simpleName(f.getClassName())
                                                                + "."
                                                                + f.getMethodName())
                                        .findFirst())
                .orElse("native");
    }

    private static String simpleName(String className) {
        return className.substring(className.lastIndexOf('.') + 1);
    }

    /**
     * The handler of an array the network uses; an unknown one is a constant, or came out of native
     * code.
     */
    private ArrayHandler operand(NDArray array) {
        ArrayHandler known = handlerOf(array);
        if (known != null) {
            return known;
        }
        ArrayHandler handler = adopt(array);
        if (escaped.isEmpty()) {
            handler.value = constant(array, Constant.CAPTURED, Map.of(), true);
        } else {
            handler.value = fromNative(array);
        }
        return handler;
    }

    private Value fromNative(NDArray array) {
        List<Value> from = List.copyOf(escaped);
        escaped.clear();
        List<String> roles = from.stream().map(v -> "inputs[" + from.indexOf(v) + "]").toList();
        PathTracker.Run run = path.current();
        String name = path.name("Native");
        Value made = value(name, Value.Kind.COMPUTED, array, null, null);
        nodes.add(
                new Node(
                        nodes.size(),
                        name,
                        "Native",
                        escapedBy,
                        run.path,
                        run.type,
                        run.number,
                        run.next("Native"),
                        from,
                        roles,
                        List.of(made),
                        Map.of(),
                        false));
        note(Readback.Kind.ESCAPED, made, escapedBy);
        return made;
    }

    private Value valueOf(ArrayHandler handler, String user) {
        Value value = handler.value;
        if (value == null) {
            value = constant(handler.target(), Constant.CAPTURED, Map.of(), true);
            handler.value = value;
        }
        if (handler.outOfDate) {
            note(Readback.Kind.OVERWRITTEN_VIEW, value, user);
        }
        return value;
    }

    private NDArray adopt(NDArray array, Value value) {
        ArrayHandler handler = adopt(array);
        handler.value = value;
        return handler.proxy();
    }

    private Value constant(
            NDArray array, String method, Map<String, Object> attributes, boolean keep) {
        String name = "constant" + constants++;
        Constant constant = new Constant(method, attributes, keep ? data(array) : null);
        return value(name, Value.Kind.CONSTANT, array, null, constant);
    }

    private static byte @Nullable [] data(NDArray array) {
        long bytes = array.getShape().size() * array.getDataType().getNumOfBytes();
        if (bytes > Constant.MAX_BYTES
                || array.getDataType() == DataType.STRING
                || array.getSparseFormat() != SparseFormat.DENSE) {
            return null;
        }
        ByteBuffer buffer = array.toByteBuffer();
        byte[] data = new byte[buffer.remaining()];
        buffer.get(data);
        return data;
    }

    private Value value(
            String name,
            Value.Kind kind,
            NDArray array,
            @Nullable ParameterRead parameter,
            @Nullable Constant constant) {
        return new Value(
                values++, name, kind, array.getShape(), array.getDataType(), parameter, constant);
    }

    private void note(Readback.Kind kind, Value value, String method) {
        readbacks.add(new Readback(kind, value, method, path.current().path, nodes.size()));
    }

    /* Dropout that a network asks for even in inference, and between recurrent layers, must not draw numbers. */
    private static void silenceGenerator(Operator operator, @Nullable Object[] real) {
        int rate = operator.arguments().indexOf("dropRate");
        if (rate >= 0) {
            real[rate] = 0d;
        }
        if (operator.name().equals("Dropout")) {
            real[operator.arguments().indexOf("training")] = false;
        }
    }
}
