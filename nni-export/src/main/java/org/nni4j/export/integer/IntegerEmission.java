package org.nni4j.export.integer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.QuantType;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxGraph;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;
import org.nni4j.export.operator.EmissionHooks;
import org.nni4j.export.operator.Folding;
import org.nni4j.export.operator.OperatorMapping;
import org.nni4j.export.operator.ParameterTensor;
import org.nni4j.graph.BatchNormFold;
import org.nni4j.graph.BatchNormPattern;
import org.nni4j.graph.Node;
import org.nni4j.graph.ParameterRead;
import org.nni4j.graph.Value;
import org.nni4j.quantization.QuantizationParameters;

/**
 * Writes quantized tensors as integers: a {@code QuantizeLinear} and {@code DequantizeLinear} pair
 * for each tensor that is quantized, weights and biases as the integers themselves. For one use.
 */
public final class IntegerEmission implements EmissionHooks {

    /* Short, and numbered: with the layers' paths, names would be a tenth of a small model's file. */
    private static final String BACK = "dq";
    private static final String SCALE = "scale";

    private static final String TOO_COARSE =
            "its bias stays in float: integers of the products' scale are too coarse for it";
    private static final String TOO_LARGE =
            "its bias stays in float: as an integer of the products' scale it has more than 32"
                    + " bits";

    private final TracedNetwork network;
    private final Map<String, CalibratedLayer> layers = new HashMap<>();
    private final NetworkWeights weights;
    private final WeightOptions options;
    private final Placement placement;
    private final Map<Integer, BatchNormFold> folds = new HashMap<>();
    private final Map<String, TensorCodes> written = new HashMap<>();
    private final Map<String, Map<TensorCodes, QuantizedTensor>> tensors = new LinkedHashMap<>();
    private final Map<String, String> dequantized = new HashMap<>();
    private final Map<String, String> sources = new HashMap<>();
    private final Map<String, WeightCodes> codesByName = new HashMap<>();
    private final Map<Integer, WeightCodes> codesByNode = new TreeMap<>();
    private final Map<Integer, String> floatBiases = new HashMap<>();
    private final Map<Integer, Integer> paddedBy = new HashMap<>();

    /**
     * How weights are stored.
     *
     * @param fourBit weights of four bits and less are stored in four, which needs opset 21
     * @param sevenBit weights of eight bits are rounded to seven
     */
    public record WeightOptions(boolean fourBit, boolean sevenBit) {}

    /**
     * Prepares.
     *
     * @param network the float network
     * @param calibration how its tensors are quantized
     * @param weights its weights, fake-quantized
     * @param signs sites where only the sign is kept
     * @param options how weights are stored
     */
    public IntegerEmission(
            TracedNetwork network,
            CalibrationConfig calibration,
            NetworkWeights weights,
            Set<TensorSite> signs,
            WeightOptions options) {
        this.network = network;
        calibration.layers().forEach(layer -> layers.put(layer.path(), layer));
        this.weights = weights;
        this.options = options;
        this.placement = new Placement(network.graph(), calibration, signs::contains);
        BatchNormPattern.findAll(network.graph())
                .folds()
                .forEach(f -> folds.put(f.layerNode().index(), f));
    }

    /**
     * Returns the tensors that are integers in the model; known after the network was written.
     *
     * @return in the order in which they are computed
     */
    public List<QuantizedTensor> tensors() {
        List<QuantizedTensor> all = new ArrayList<>();
        tensors.values().forEach(byCodes -> all.addAll(byCodes.values()));
        return all;
    }

    /**
     * Tells whether a tensor needs types that only newer versions of the format have.
     *
     * @return whether any has more than eight bits
     */
    public boolean needsNewTypes() {
        return layers.values().stream()
                .flatMap(layer -> layer.tensors().stream())
                .anyMatch(t -> t.calibration().type().bits() > 8);
    }

    Placement placement() {
        return placement;
    }

    /**
     * Returns the operators that read a weight as integers, with these.
     *
     * @return in execution order; known after the network was written
     */
    public List<IntegerProduct> products() {
        List<IntegerProduct> products = new ArrayList<>();
        for (Node node : network.graph().nodes()) {
            WeightCodes codes = codesByNode.get(node.index());
            TensorCodes input = placement.input(node).orElse(null);
            List<TensorSite> sites =
                    placement.read(node, 0).isPresent()
                            ? placement.sites(node, 0)
                            : placement.sites(node.inputs().get(0));
            if (codes != null && input != null && !sites.isEmpty() && multiplies(node, codes)) {
                int more = paddedBy.getOrDefault(node.index(), 0);
                long[] dims = node.input("weight").orElseThrow().shape().getShape();
                boolean turned = node.op().equals("Linear") && !isGemm(node);
                int[] own = turned ? codes.transposed((int) dims[1]).codes() : codes.codes();
                int[] weight = more == 0 ? own : ChannelPadding.weight(own, dims, more);
                products.add(new IntegerProduct(node, sites.get(0), input, weight, more));
            }
        }
        return products;
    }

    private boolean multiplies(Node node, WeightCodes weight) {
        boolean product = node.op().equals("Conv") || node.op().equals("Linear");
        boolean fourBits = options.fourBit() && weight.type(true) == OnnxType.INT4;
        return product && !fourBits && weight.obstacle() == null;
    }

    /** The integers of a layer's weight; empty where it is in float. */
    Optional<WeightCodes> weightOf(Node node) {
        return Optional.ofNullable(codesByNode.get(node.index()));
    }

    // ---- BatchNorm

    /**
     * A BatchNorm is folded where training folded it; where it did not, the weight keeps its
     * integers and the BatchNorm goes into its scale, which needs nothing to be quantized between
     * the two.
     */
    @Override
    public boolean folds(BatchNormFold fold) {
        if (wasFolded(fold)) {
            return true;
        }
        return placement.made(fold.layerNode().output()).isEmpty()
                && placement.read(fold.batchNormNode(), 0).isEmpty();
    }

    private boolean wasFolded(BatchNormFold fold) {
        CalibratedLayer layer = layers.get(fold.layer());
        return layer != null && layer.foldedBatchNorm().equals(fold.batchNorm());
    }

    // ---- tensors

    @Override
    public String made(OnnxGraph onnx, Value value, String name) {
        return placement
                .made(value)
                .map(codes -> pair(onnx, value.name(), name, codes, placement.sites(value)))
                .orElse(name);
    }

    @Override
    public String read(OnnxGraph onnx, Node consumer, String role, Value value, String name) {
        int input = consumer.roles().indexOf(role);
        Optional<TensorCodes> codes = placement.read(consumer, input);
        if (codes.isEmpty()) {
            return name;
        }
        List<TensorSite> sites = placement.sites(consumer, input);
        int more = codes.get().equals(written.get(name)) ? 0 : missing(consumer, codes.get());
        if (more == 0) {
            return pair(onnx, value.name(), name, codes.get(), sites);
        }
        paddedBy.put(consumer.index(), more);
        String q = quantized(onnx, value.name(), name, codes.get(), sites);
        return dequantized.computeIfAbsent(
                q + " +" + more,
                n -> {
                    String zero = zero(onnx, codes.get());
                    int axes = value.shape().dimension();
                    String wider = ChannelPadding.write(onnx, q + "/padded", q, zero, axes, more);
                    return dequantize(onnx, wider, codes.get());
                });
    }

    /** How many input channels a convolution misses to have the runtime's fast kernel. */
    private int missing(Node consumer, TensorCodes input) {
        Optional<TensorCalibration> weight =
                consumer.input("weight").flatMap(Value::parameter).flatMap(this::calibrated);
        return weight.isEmpty() || options.fourBit()
                ? 0
                : ChannelPadding.missing(
                        consumer, input, weight.get(), placement.views(placement.result(consumer)));
    }

    private String pair(
            OnnxGraph onnx, String base, String name, TensorCodes codes, List<TensorSite> sites) {
        if (codes.equals(written.get(name))) {
            // It has these integers already: they would come out again.
            note(name, codes, sites);
            return name;
        }
        String q = quantized(onnx, base, name, codes, sites);
        String back = dequantized.get(q);
        if (back == null) {
            back = dequantize(onnx, q, codes);
            dequantized.put(q, back);
            written.put(back, codes);
            sources.put(back, name);
        }
        return back;
    }

    /** The tensor's integers, without the way back. */
    private String quantized(
            OnnxGraph onnx, String base, String name, TensorCodes codes, List<TensorSite> sites) {
        QuantizedTensor known = tensorsOf(name).get(codes);
        if (known != null) {
            tensorsOf(name).put(codes, with(known, sites));
            return known.integers();
        }
        String x = codes.sign() ? signs(onnx, base, name, codes) : name;
        String q =
                onnx.node(
                        "QuantizeLinear",
                        base + "/q",
                        List.of(x, scale(onnx, codes.parameters()), zero(onnx, codes)),
                        axis(codes.parameters().axis()));
        if (codes.isNarrower()) {
            q = clipped(onnx, base, q, codes);
        }
        tensorsOf(name).put(codes, new QuantizedTensor(q, codes, sites));
        return q;
    }

    private static String dequantize(OnnxGraph onnx, String q, TensorCodes codes) {
        return onnx.node(
                "DequantizeLinear",
                BACK,
                List.of(q, scale(onnx, codes.parameters()), zero(onnx, codes)),
                axis(codes.parameters().axis()));
    }

    private Map<TensorCodes, QuantizedTensor> tensorsOf(String name) {
        return tensors.computeIfAbsent(name, n -> new LinkedHashMap<>());
    }

    private void note(String back, TensorCodes codes, List<TensorSite> sites) {
        String source = sources.get(back);
        if (source != null) {
            tensorsOf(source).computeIfPresent(codes, (c, known) -> with(known, sites));
        }
    }

    private static QuantizedTensor with(QuantizedTensor known, List<TensorSite> sites) {
        List<TensorSite> all = new ArrayList<>(known.sites());
        sites.stream().filter(s -> !all.contains(s)).forEach(all::add);
        return new QuantizedTensor(known.integers(), known.codes(), all);
    }

    /** One step up for what is not negative, one down for the rest. */
    private static String signs(OnnxGraph onnx, String base, String name, TensorCodes codes) {
        String positive =
                onnx.node("GreaterOrEqual", base + "/positive", List.of(name, onnx.scalar(0)));
        return onnx.node(
                "Where",
                base + "/sign",
                List.of(positive, onnx.scalar(codes.scale()), onnx.scalar(-codes.scale())));
    }

    /**
     * Saturates where the integers do and their carrier does not: on the integers, so that what is
     * before stays an integer operator.
     */
    private static String clipped(OnnxGraph onnx, String base, String q, TensorCodes codes) {
        String low = onnx.constant(WeightCodes.integers(new int[] {codes.qmin()}, codes.carrier()));
        String high =
                onnx.constant(WeightCodes.integers(new int[] {codes.qmax()}, codes.carrier()));
        return onnx.node("Clip", base + "/clipped", List.of(q, low, high));
    }

    private static String scale(OnnxGraph onnx, QuantizationParameters parameters) {
        float[] scale = parameters.scale();
        return onnx.constant(
                parameters.axis() == QuantizationParameters.PER_TENSOR
                        ? TensorData.floats(scale)
                        : TensorData.floats(scale, scale.length));
    }

    private static String zero(OnnxGraph onnx, TensorCodes codes) {
        int[] zero = codes.parameters().zeroPoint();
        return onnx.constant(
                codes.isPerTensor()
                        ? WeightCodes.integers(zero, codes.carrier())
                        : WeightCodes.integers(zero, codes.carrier(), zero.length));
    }

    private static Attribute[] axis(int axis) {
        return axis == QuantizationParameters.PER_TENSOR
                ? new Attribute[0]
                : new Attribute[] {Attribute.of("axis", (long) axis)};
    }

    // ---- operators that are written in another way

    @Override
    public Optional<OperatorMapping> replacement(Node node) {
        return node.op().equals("GlobalAvgPool") ? pool(node) : superfluousClip(node);
    }

    /** The mean becomes integers before its axes are taken away: runtimes look for it there. */
    private Optional<OperatorMapping> pool(Node node) {
        return placement
                .common(node)
                .filter(codes -> codes.isPerTensor() && !codes.sign())
                .map(
                        codes ->
                                emission -> {
                                    String mean =
                                            emission.add(
                                                    "GlobalAveragePool", List.of(emission.input()));
                                    String q = pair(emission.onnx(), mean, mean, codes, List.of());
                                    emission.result("Flatten", List.of(q), Attribute.of("axis", 1));
                                });
    }

    /** A clip whose bounds are where the integers saturate anyway. */
    private Optional<OperatorMapping> superfluousClip(Node node) {
        boolean minimum = node.op().equals("Minimum");
        if (!minimum && !node.op().equals("Clip")) {
            return Optional.empty();
        }
        Object high = node.attributes().get(minimum ? "other" : "max");
        Object low = node.attributes().get("min");
        return placement
                .common(node)
                .filter(
                        codes ->
                                codes.isPerTensor() && saturates(codes, minimum ? null : low, high))
                .map(codes -> emission -> emission.bind(emission.input()));
    }

    private static boolean saturates(
            TensorCodes codes, @Nullable Object low, @Nullable Object high) {
        if (!(high instanceof Number max)) {
            return false;
        }
        if (codes.sign()) {
            return max.floatValue() >= 0
                    && (low == null || (low instanceof Number min && min.floatValue() < 0));
        }
        return codes.code(max.floatValue()) == codes.qmax()
                && (low == null
                        || (low instanceof Number min
                                && codes.code(min.floatValue()) == codes.qmin()));
    }

    // ---- parameters

    @Override
    public String parameter(OnnxGraph onnx, Node consumer, String role, ParameterTensor tensor) {
        Optional<String> integers =
                switch (role) {
                    case "weight" -> weight(onnx, consumer, tensor);
                    case "bias" -> bias(onnx, consumer, tensor);
                    default -> Optional.empty();
                };
        return integers.orElseGet(
                () -> EmissionHooks.super.parameter(onnx, consumer, role, tensor));
    }

    private Optional<String> weight(OnnxGraph onnx, Node consumer, ParameterTensor tensor) {
        Optional<ParameterRead> read = consumer.input("weight").flatMap(Value::parameter);
        Optional<TensorCalibration> quantized = read.flatMap(this::calibrated);
        if (quantized.isEmpty()) {
            return Optional.empty();
        }
        String name = tensor.name() + " " + tensor.channelAxis();
        WeightCodes codes =
                codesByName.computeIfAbsent(
                        name, n -> codes(consumer, read.get(), quantized.get(), tensor));
        codesByNode.put(consumer.index(), codes);
        int more = paddedBy.getOrDefault(consumer.index(), 0);
        return Optional.of(
                dequantized.computeIfAbsent(
                        name + " +" + more,
                        n -> {
                            OnnxType type = codes.type(options.fourBit());
                            String q =
                                    onnx.freshInitializer(
                                            tensor.name(), stored(codes, type, tensor, more));
                            return dequantize(onnx, q, codes, type);
                        }));
    }

    private static TensorData stored(
            WeightCodes codes, OnnxType type, ParameterTensor tensor, int more) {
        return more == 0
                ? codes.data(type, tensor.dims())
                : WeightCodes.integers(
                        ChannelPadding.weight(codes.codes(), tensor.dims(), more),
                        type,
                        ChannelPadding.dims(tensor.dims(), more));
    }

    private static String dequantize(OnnxGraph onnx, String q, WeightCodes codes, OnnxType type) {
        boolean whole = codes.axis() == QuantizationParameters.PER_TENSOR;
        long[] dims = whole ? new long[0] : new long[] {codes.scale().length};
        String s = onnx.freshInitializer(SCALE, TensorData.floats(codes.scale(), dims));
        String z = onnx.constant(WeightCodes.integers(codes.zeroPoint(), type, dims));
        return onnx.node("DequantizeLinear", BACK, List.of(q, s, z), axis(codes.axis()));
    }

    private WeightCodes codes(
            Node consumer,
            ParameterRead read,
            TensorCalibration quantized,
            ParameterTensor tensor) {
        boolean turned = consumer.op().equals("Linear") && tensor.channelAxis() == 1;
        long[] own = turned ? reversed(tensor.dims()) : tensor.dims();
        WeightCodes codes = WeightCodes.of(weights.quantized(read), own, quantized);
        BatchNormFold fold = folds.get(consumer.index());
        if (fold != null && folds(fold) && !wasFolded(fold)) {
            int channels = consumer.op().equals("ConvTranspose") ? 1 : 0;
            codes = codes.times(Folding.of(network, fold).scale(), channels, own);
        }
        if (options.sevenBit()) {
            codes = codes.reduced();
        }
        if (codes.type(options.fourBit()) != OnnxType.INT4) {
            codes = codes.finer();
        }
        codes = codes.deadChannelsLikeOthers();
        return turned ? codes.transposed((int) own[0]) : codes;
    }

    private static long[] reversed(long[] matrix) {
        return new long[] {matrix[1], matrix[0]};
    }

    private Optional<TensorCalibration> calibrated(ParameterRead read) {
        return Optional.ofNullable(layers.get(read.layer()))
                .flatMap(layer -> layer.tensor(QuantType.WEIGHT, read.name()));
    }

    /** An int32 of the scale that the products of input and weight have. */
    private Optional<String> bias(OnnxGraph onnx, Node consumer, ParameterTensor tensor) {
        WeightCodes weight = codesByNode.get(consumer.index());
        TensorCodes input =
                placement
                        .input(consumer)
                        .filter(codes -> codes.isPerTensor() && codes.carrier().bits() == 8)
                        .orElse(null);
        boolean product = consumer.op().equals("Conv") || isGemm(consumer);
        if (weight == null || input == null || !product) {
            return Optional.empty();
        }
        if (!isFineEnough(consumer, weight, input)) {
            floatBiases.put(consumer.index(), TOO_COARSE);
            return Optional.empty();
        }
        float[] values = tensor.elements().get();
        float[] scale = new float[weight.scale().length];
        for (int c = 0; c < scale.length; c++) {
            scale[c] = input.scale() * weight.scale()[c];
        }
        int[] codes = new int[values.length];
        for (int c = 0; c < codes.length; c++) {
            double q = Math.rint(values[c] / (double) scale[scale.length == 1 ? 0 : c]);
            if (Math.abs(q) > Integer.MAX_VALUE) {
                floatBiases.put(consumer.index(), TOO_LARGE);
                return Optional.empty();
            }
            codes[c] = (int) q;
        }
        // The same layer in another run may read another scale.
        String q = onnx.freshInitializer(tensor.name(), TensorData.ints(codes, codes.length));
        boolean whole = scale.length == 1;
        long[] dims = whole ? new long[0] : new long[] {scale.length};
        String s = onnx.freshInitializer(SCALE, TensorData.floats(scale, dims));
        String z = onnx.constant(TensorData.ints(new int[scale.length], dims));
        return Optional.of(
                onnx.node(
                        "DequantizeLinear",
                        BACK,
                        List.of(q, s, z),
                        axis(whole ? QuantizationParameters.PER_TENSOR : 0)));
    }

    /**
     * Whether an integer bias is as good as the float one that was trained. Rounding it moves a
     * result by half a product's scale. With eight bits on both sides that is next to nothing; with
     * few levels it must be less than the 64th part of a step of the result.
     */
    private boolean isFineEnough(Node consumer, WeightCodes weight, TensorCodes input) {
        if (options.fourBit() && weight.type(true) == OnnxType.INT4) {
            return false;
        }
        if (weight.bits() >= 7 && input.qmax() - input.qmin() >= 127) {
            return true;
        }
        float result =
                placement.views(placement.result(consumer)).stream()
                        .flatMap(Optional::stream)
                        .filter(codes -> codes.isPerTensor() && !codes.sign())
                        .map(TensorCodes::scale)
                        .min(Float::compare)
                        .orElse(0f);
        float largest = 0;
        for (float s : weight.scale()) {
            largest = Math.max(largest, s);
        }
        return input.scale() * largest / 2 <= result / 64;
    }

    /** Why a layer's bias stayed in float; empty where it did not. */
    Optional<String> floatBias(Node node) {
        return Optional.ofNullable(floatBiases.get(node.index()));
    }

    /** Whether weights may be stored in four bits. */
    boolean storesFourBits() {
        return options.fourBit();
    }

    private static boolean isGemm(Node node) {
        return node.op().equals("Linear") && node.inputs().get(0).shape().dimension() == 2;
    }
}
