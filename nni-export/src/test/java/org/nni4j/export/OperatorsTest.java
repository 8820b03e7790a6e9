package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.fixtures.FunctionBlock;

/** Every operator with a mapping computes in ONNX Runtime what it computes in DJL. */
class OperatorsTest {

    private static final int SEED = 7;

    /* One operator, on numbers of about 1; what is left are the last bits of exp and its like. */
    private static final float TOLERANCE = 2e-6f;

    private record Case(String name, UnaryOperator<NDList> function, Shape... shapes) {}

    private static final List<Case> CASES = new ArrayList<>();

    private static final Shape MATRIX = new Shape(2, 6);
    private static final Shape PICTURE = new Shape(2, 4, 6, 5);

    private static void unary(String name, UnaryOperator<NDArray> function) {
        unary(name, MATRIX, function);
    }

    private static void unary(String name, Shape shape, UnaryOperator<NDArray> function) {
        CASES.add(new Case(name, in -> new NDList(function.apply(in.head())), shape));
    }

    private static void inner(String name, Shape shape, Function<NDArrayEx, NDArray> function) {
        unary(name, shape, x -> function.apply(x.getNDArrayInternal()));
    }

    private static void binary(
            String name, Shape left, Shape right, java.util.function.BinaryOperator<NDArray> f) {
        CASES.add(new Case(name, in -> new NDList(f.apply(in.get(0), in.get(1))), left, right));
    }

    private static NDArray whole(NDArray x) {
        return x.mul(5).toType(DataType.INT64, false);
    }

    static {
        arithmetic();
        functions();
        activations();
        comparisons();
        reductions();
        layouts();
        selections();
        windows();
    }

    private static void arithmetic() {
        Shape row = new Shape(2, 1);
        binary("add", MATRIX, MATRIX, NDArray::add);
        binary("sub, broadcast", MATRIX, row, NDArray::sub);
        binary("mul, broadcast", row, MATRIX, NDArray::mul);
        binary("div", MATRIX, MATRIX, (a, b) -> a.div(b.abs().add(1)));
        binary("pow", MATRIX, MATRIX, (a, b) -> a.abs().pow(b));
        binary("maximum", MATRIX, MATRIX, NDArray::maximum);
        binary("minimum", MATRIX, MATRIX, NDArray::minimum);
        binary("mod", MATRIX, MATRIX, (a, b) -> a.mod(b.abs().add(0.5)));
        binary("matMul", new Shape(2, 3, 4), new Shape(2, 4, 5), NDArray::matMul);
        binary("batchMatMul", new Shape(2, 3, 4), new Shape(2, 4, 5), NDArray::batchMatMul);
        unary("dot", x -> x.dot(x.transpose()));
        unary("matMul with itself", x -> x.matMul(x.transpose()));
        unary("add a number", x -> x.add(3));
        unary("sub a number", x -> x.sub(0.25f));
        unary("mul a number", x -> x.mul(-2));
        unary("div by a number", x -> x.div(3));
        unary("pow a number", x -> x.pow(2));
        unary("mod a number", x -> x.mod(2));
        unary("maximum of a number", x -> x.maximum(0.5));
        unary("minimum of a number", x -> x.minimum(0.5));
        unary("in place", x -> x.duplicate().addi(1).muli(2).subi(0.5f).divi(4));
        unary("integers and a number", x -> whole(x).add(2).mul(3).toType(DataType.FLOAT32, false));
        unary("integers and floats", x -> whole(x).mul(x));
        unary("number minus tensor", x -> NDArrays.sub(1, x));
        unary("number modulo tensor", x -> NDArrays.mod(5, x.abs().add(1)));
        unary("number over tensor", x -> NDArrays.div(1, x.abs().add(1)));
        unary("number to the power of a tensor", x -> NDArrays.pow(2, x));
    }

    private static void functions() {
        unary("neg", NDArray::neg);
        unary("sign", NDArray::sign);
        unary("abs", NDArray::abs);
        unary("square", NDArray::square);
        unary("sqrt", x -> x.abs().sqrt());
        unary("cbrt", x -> x.abs().cbrt());
        unary("floor", x -> x.mul(3).floor());
        unary("ceil", x -> x.mul(3).ceil());
        unary("round", x -> x.mul(3).round());
        unary("trunc", x -> x.mul(3).trunc());
        unary("exp", NDArray::exp);
        unary("log", x -> x.abs().add(0.1).log());
        unary("log10", x -> x.abs().add(0.1).log10());
        unary("log2", x -> x.abs().add(0.1).log2());
        unary("sin", NDArray::sin);
        unary("cos", NDArray::cos);
        unary("tan", x -> x.mul(0.3).tan());
        unary("asin", x -> x.tanh().asin());
        unary("acos", x -> x.tanh().acos());
        unary("atan", NDArray::atan);
        unary("sinh", NDArray::sinh);
        unary("cosh", NDArray::cosh);
        unary("toDegrees", NDArray::toDegrees);
        unary("toRadians", NDArray::toRadians);
        unary("erf", NDArray::erf);
        unary("clip", x -> x.clip(-0.5, 0.75));
        unary("clip of integers", x -> whole(x).clip(-2, 3).toType(DataType.FLOAT32, false));
        unary("stopGradient", NDArray::stopGradient);
        unary("scaleGradient", x -> x.scaleGradient(0.5));
        unary("toDevice", x -> x.toDevice(x.getDevice(), true).add(1));
        unary("onesLike", x -> x.onesLike().add(x));
        unary("zerosLike", x -> x.zerosLike().add(x));
    }

    private static void activations() {
        inner("relu", MATRIX, NDArrayEx::relu);
        inner("sigmoid", MATRIX, NDArrayEx::sigmoid);
        inner("tanh", MATRIX, NDArrayEx::tanh);
        inner("softPlus", MATRIX, NDArrayEx::softPlus);
        inner("softSign", MATRIX, NDArrayEx::softSign);
        inner("leakyRelu", MATRIX, ex -> ex.leakyRelu(0.2f));
        inner("elu", MATRIX, ex -> ex.elu(1f));
        inner("elu, other alpha", MATRIX, ex -> ex.elu(0.7f));
        inner("selu", MATRIX, NDArrayEx::selu);
        inner("gelu", MATRIX, NDArrayEx::gelu);
        inner("swish", MATRIX, ex -> ex.swish(1.5f));
        inner("mish", MATRIX, NDArrayEx::mish);
        unary("softmax", PICTURE, x -> x.softmax(1));
        unary("softmax, last axis", PICTURE, x -> x.softmax(-1));
        unary("logSoftmax", PICTURE, x -> x.logSoftmax(-1));
    }

    private static NDArray number(NDArray x) {
        return x.toType(DataType.FLOAT32, false);
    }

    private static void comparisons() {
        binary("eq", MATRIX, MATRIX, (a, b) -> number(whole(a).eq(whole(b))));
        binary("neq", MATRIX, MATRIX, (a, b) -> number(whole(a).neq(whole(b))));
        binary("gt", MATRIX, MATRIX, (a, b) -> number(a.gt(b)));
        binary("gte", MATRIX, MATRIX, (a, b) -> number(whole(a).gte(whole(b))));
        binary("lt", MATRIX, MATRIX, (a, b) -> number(a.lt(b)));
        binary("lte", MATRIX, MATRIX, (a, b) -> number(whole(a).lte(whole(b))));
        unary("gt a number", x -> number(x.gt(0)));
        unary("integers lt a fraction", x -> number(whole(x).lt(0.5)));
        unary("logicalNot", x -> number(x.gt(0).logicalNot()));
        binary("logicalAnd", MATRIX, MATRIX, (a, b) -> number(a.gt(0).logicalAnd(b.gt(0))));
        binary("logicalOr", MATRIX, MATRIX, (a, b) -> number(a.gt(0).logicalOr(b.gt(0))));
        binary("logicalXor", MATRIX, MATRIX, (a, b) -> number(a.gt(0).logicalXor(b.gt(0))));
        binary("where", MATRIX, MATRIX, (a, b) -> NDArrays.where(a.gt(0), a, b));
        unary("isNaN", x -> number(x.sqrt().isNaN()));
        unary("isInfinite", x -> number(x.sign().add(1).log().isInfinite()));
    }

    private static void reductions() {
        unary("sum", x -> x.sum(new int[] {1}));
        unary("sum of all", x -> x.sum());
        unary("sum, kept", PICTURE, x -> x.sum(new int[] {2, -1}, true));
        unary("mean", PICTURE, x -> x.mean(new int[] {2}));
        unary("mean, kept", PICTURE, x -> x.mean(new int[] {3}, true));
        unary("mean of all", PICTURE, NDArray::mean);
        unary("max", PICTURE, x -> x.max(new int[] {1}, true));
        unary("min", PICTURE, x -> x.min(new int[] {1}));
        unary("max of all", PICTURE, NDArray::max);
        unary("prod", x -> x.prod(new int[] {1}));
        unary("norm", x -> x.norm(new int[] {1}, true));
        unary("cumSum", x -> x.cumSum(1));
        unary("sum of integers", x -> number(whole(x).sum(new int[] {1})));
        unary("argMax", x -> number(x.argMax(1)));
        unary("argMin", x -> number(x.argMin(-1)));
        unary("argMax of all", x -> number(x.argMax()));
        unary("argSort", x -> number(x.argSort(1, false)));
        unary("argSort, ascending", x -> number(x.argSort()));
        unary("sort", x -> x.sort(1));
        unary("topK", x -> x.topK(3, 1).get(0));
        unary("oneHot", x -> whole(x.abs()).oneHot(40));
    }

    private static void layouts() {
        unary("reshape", PICTURE, x -> x.reshape(x.size(0), -1));
        unary("reshape, batch times channels", PICTURE, x -> x.reshape(-1, 6, 5));
        unary("reshape, batch in the middle", PICTURE, x -> x.reshape(2, x.size(0), -1));
        unary("flatten", PICTURE, x -> x.flatten());
        unary("flatten, some axes", PICTURE, x -> x.flatten(1, 2));
        unary("expandDims", x -> x.expandDims(1));
        unary("squeeze", new Shape(2, 1, 3), x -> x.squeeze(1));
        unary("transpose", PICTURE, x -> x.transpose(0, 2, 3, 1));
        unary("transpose all", NDArray::transpose);
        unary("swapAxes", PICTURE, x -> x.swapAxes(1, -1));
        unary("broadcast", new Shape(2, 1), x -> x.broadcast(x.size(0), 4));
        unary("tile", x -> x.tile(new long[] {1, 2}));
        unary("tile the batch", x -> x.tile(new long[] {2, 1}));
        unary("tile by one number", x -> x.tile(2));
        unary("repeat", x -> x.repeat(1, 2));
        unary("repeat all", x -> x.repeat(new long[] {1, 2}));
        unary("pad", x -> x.pad(new Shape(1, 2), 0.5));
        unary("flip", x -> x.flip(1));
        binary("concat", MATRIX, new Shape(2, 3), (a, b) -> a.concat(b, 1));
        binary("concat on the batch", MATRIX, MATRIX, (a, b) -> a.concat(b, 0));
        binary("stack", MATRIX, MATRIX, (a, b) -> a.stack(b, 1));
        CASES.add(new Case("split", in -> in.head().split(3, 1), MATRIX));
        CASES.add(new Case("split at", in -> in.head().split(new long[] {1, 4}, 1), MATRIX));
        unary("zeros of the batch", x -> x.add(x.getManager().zeros(x.getShape())));
        unary("full of the batch", x -> x.add(x.getManager().full(x.getShape(), 2f)));
        unary("arange", x -> x.add(x.getManager().arange(6f)));
    }

    private static void selections() {
        unary("slice", PICTURE, x -> x.get(":, 1:3, ::2"));
        unary("slice, squeezed", PICTURE, x -> x.get(":, 1, :, -1"));
        unary("slice, last", PICTURE, x -> x.get("..., -2:"));
        unary("slice of the batch", PICTURE, x -> x.get("0:1"));
        unary("last of the batch", PICTURE, x -> x.get("-1:"));
        unary(
                "take rows",
                PICTURE,
                x -> x.get(new NDIndex(":, {}", x.getManager().create(new long[] {2, 0, 1}))));
        unary(
                "gather",
                x -> x.gather(x.getManager().zeros(new Shape(x.size(0), 3), DataType.INT64), 1));
        unary(
                "gatherNd",
                x -> x.gatherNd(x.getManager().create(new long[][] {{0, 0, 0}, {3, 5, 1}})));
        unary("embedding", OperatorsTest::embedded);
        unary("take", x -> x.take(x.getManager().create(new long[] {4, 0, 5})));
        unary("slice assigned elsewhere", x -> x.get(":, :3").add(x.get(":, 3:")));
    }

    private static NDArray embedded(NDArray x) {
        NDArray rows = whole(x).clip(-4, 4).add(4);
        NDArray weight = x.getManager().arange(27f).reshape(9, 3);
        return rows.getNDArrayInternal().embedding(rows, weight, SparseFormat.DENSE).head();
    }

    private static void windows() {
        Shape odd = new Shape(2, 3, 7, 8);
        for (boolean ceil : new boolean[] {false, true}) {
            for (Shape padding : List.of(new Shape(0, 0), new Shape(1, 1))) {
                String how = ", ceil " + ceil + ", padding " + padding;
                inner(
                        "maxPool" + how,
                        odd,
                        x -> x.maxPool(new Shape(3, 2), new Shape(2, 3), padding, ceil));
                for (boolean counted : new boolean[] {false, true}) {
                    inner(
                            "avgPool" + how + ", counted " + counted,
                            odd,
                            x ->
                                    x.avgPool(
                                            new Shape(3, 2),
                                            new Shape(2, 3),
                                            padding,
                                            ceil,
                                            counted));
                }
            }
        }
        inner(
                "maxPool 1d",
                new Shape(2, 3, 9),
                x -> x.maxPool(new Shape(2), new Shape(2), new Shape(0), true));
        inner(
                "avgPool 3d",
                new Shape(2, 2, 5, 6, 7),
                x ->
                        x.avgPool(
                                new Shape(2, 2, 2),
                                new Shape(2, 2, 2),
                                new Shape(1, 0, 0),
                                true,
                                true));
        inner("globalAvgPool", odd, NDArrayEx::globalAvgPool);
        inner("globalMaxPool", odd, NDArrayEx::globalMaxPool);
        inner("globalAvgPool 1d", new Shape(2, 3, 9), NDArrayEx::globalAvgPool);
        for (int mode : new int[] {0, 1, 2, 3}) {
            for (long[] size : new long[][] {{11, 5}, {14, 16}, {3, 4}}) {
                inner(
                        "interpolation " + mode + " to " + Arrays.toString(size),
                        odd,
                        x -> x.interpolation(size, mode, false));
            }
        }
        inner("interpolation, corners", odd, x -> x.interpolation(new long[] {11, 9}, 1, true));
        inner("resize", new Shape(2, 4, 5, 3), x -> x.resize(9, 7, 0));
        inner("resize, linear", new Shape(2, 4, 5, 3), x -> x.resize(9, 7, 1));
    }

    /** What the cases trace. */
    static Set<String> operators(NDManager manager) {
        Set<String> operators = new TreeSet<>();
        for (Case c : CASES) {
            Block block = new SequentialBlock().add(new FunctionBlock(c.function()));
            TracedNetwork.fixed(block, Agreement.normal(manager, 2, c.shapes()))
                    .graph()
                    .nodes()
                    .forEach(node -> operators.add(node.op()));
        }
        return operators;
    }

    @TempDir private Path folder;

    @TestFactory
    Stream<DynamicTest> operator_agreesAtAnyBatch() {
        return CASES.stream().map(c -> dynamicTest(c.name(), () -> agrees(c)));
    }

    private void agrees(Case c) throws Exception {
        Engine.getInstance().setRandomSeed(SEED);
        try (NDManager manager = NDManager.newBaseManager()) {
            Block block = new SequentialBlock().add(new FunctionBlock(c.function()));
            Path file = folder.resolve("operator.onnx");
            OnnxExporter.builder()
                    .build()
                    .exportFloat(block, file, Agreement.normal(manager, 2, c.shapes()));
            try (OnnxRun run = new OnnxRun(file)) {
                for (long batch : new long[] {1, 2, 3}) {
                    compare(c, block, run, Agreement.normal(manager, batch, c.shapes()), batch);
                }
            }
        }
    }

    private static void compare(Case c, Block block, OnnxRun run, NDList inputs, long batch)
            throws Exception {
        List<OnnxRun.Output> actual = run.run(inputs);
        NDList expected =
                block.forward(new ParameterStore(inputs.head().getManager(), false), inputs, false);
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            String what = "output " + i + " at batch " + batch + ", seed " + SEED;
            assertThat(actual.get(i).shape()).as(what).isEqualTo(expected.get(i).getShape());
            float[] wanted = expected.get(i).toFloatArray();
            for (int j = 0; j < wanted.length; j++) {
                assertThat((double) actual.get(i).elements()[j])
                        .as(c.name() + ", " + what + ", element " + j)
                        .isCloseTo(
                                wanted[j], within(TOLERANCE * Math.max(1.0, Math.abs(wanted[j]))));
            }
        }
    }
}
