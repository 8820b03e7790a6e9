package org.nni4j.compression;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.config.SettingKey;
import org.nni4j.fakequant.AbsorbedBatchNorm;
import org.nni4j.fakequant.CheckedLayer;
import org.nni4j.fakequant.ComputedLayer;
import org.nni4j.fakequant.FoldedBatchNorm;
import org.nni4j.fakequant.LayerArithmetic;
import org.nni4j.fakequant.NetworkExit;
import org.nni4j.fakequant.NetworkWithExit;
import org.nni4j.fakequant.OptimizerWatch;
import org.nni4j.fakequant.Quantized;
import org.nni4j.fakequant.QuantizedLayer;
import org.nni4j.fakequant.QuantizedOperator;
import org.nni4j.fakequant.StepClock;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphInterposer;
import org.nni4j.graph.Node;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.nni4j.placement.PlannedFold;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/**
 * What is put around a model's layers and operators while it is quantized, made as the plan says
 * and kept until closed: a model that is compressed again gets the same.
 */
final class Wrapping implements AutoCloseable {

    /**
     * What the training's steps are counted and watched with.
     *
     * @param clock counts them
     * @param watch is told of training forwards
     * @param optimizer updates learned parameters; null where nothing is trained
     */
    record Steps(StepClock clock, OptimizerWatch watch, @Nullable StepCountingOptimizer optimizer) {

        void learn(TensorQuantizer quantizer) {
            if (optimizer != null) {
                optimizer.addLearned(quantizer);
            }
        }

        void read(Parameter weight, TensorQuantizer quantizer, int startStep) {
            if (optimizer != null) {
                optimizer.addReader(weight, quantizer, startStep);
            }
        }

        void forget() {
            if (optimizer != null) {
                optimizer.forgetQuantizers();
            }
        }
    }

    private final LayerTree tree;
    private final @Nullable Graph graph;
    private final QuantizationPlan plan;
    private final QuantizationAlgorithm algorithm;
    private final AlgorithmContext context;
    private final Steps steps;
    private final boolean checks;
    private final Map<String, Quantized> byPath = new LinkedHashMap<>();

    /**
     * Makes nothing yet.
     *
     * @param tree the model's layers
     * @param graph the model as traced; null if it was not, and then nothing in the plan needs it
     * @param plan what to make
     * @param algorithm makes the quantizers
     * @param context what they compute with
     * @param steps of the training
     * @param checks whether each layer's outputs are looked at for NaN and infinity
     */
    Wrapping(
            LayerTree tree,
            @Nullable Graph graph,
            QuantizationPlan plan,
            QuantizationAlgorithm algorithm,
            AlgorithmContext context,
            Steps steps,
            boolean checks) {
        this.tree = tree;
        this.graph = graph;
        this.plan = plan;
        this.algorithm = algorithm;
        this.context = context;
        this.steps = steps;
        this.checks = checks;
    }

    /** Returns a view of those made so far, by path. */
    Map<String, Quantized> byPath() {
        return Collections.unmodifiableMap(byPath);
    }

    /**
     * Returns what to put around each layer. Operators' are made here, layers' when their function
     * is first applied.
     */
    Map<Layer, Function<Block, Block>> wrappers() {
        Map<Layer, Function<Block, Block>> byLayer = new LinkedHashMap<>();
        GraphInterposer interposer = new GraphInterposer(tree);
        for (PlannedLayer planned : plan.quantizedLayers()) {
            if (planned.operator()) {
                QuantizedOperator operator = operator(planned);
                byPath.put(planned.path(), operator);
                interposer.add(node(planned.path()), operator.interposition());
            } else {
                byLayer.put(
                        tree.find(planned.path()).orElseThrow(),
                        block ->
                                (Block)
                                        byPath.computeIfAbsent(
                                                planned.path(), path -> wrap(block, planned)));
            }
        }
        for (PlannedFold fold : plan.folds()) {
            byLayer.merge(
                    tree.find(fold.batchNorm()).orElseThrow(),
                    AbsorbedBatchNorm::new,
                    (quantize, absorb) -> absorb.andThen(quantize));
        }
        if (checks) {
            byLayer.replaceAll(
                    (layer, wrap) ->
                            wrap.andThen(
                                    block -> new CheckedLayer(block, layer.path(), steps.clock())));
        }
        Map<Layer, Function<Block, Block>> all = interposer.around(byLayer);
        algorithm.exit(points()).ifPresent(exit -> leaveBy(exit, all));
        return all;
    }

    private List<QuantizationPoint> points() {
        return plan.quantizedLayers().stream().flatMap(layer -> layer.points().stream()).toList();
    }

    /** Around whatever else stands around the network. */
    private void leaveBy(NetworkExit exit, Map<Layer, Function<Block, Block>> wrappers) {
        wrappers.merge(
                tree.root(),
                network -> new NetworkWithExit(network, exit, steps.clock()),
                Function::andThen);
    }

    private Node node(String name) {
        return Optional.ofNullable(graph).flatMap(g -> g.find(name)).orElseThrow();
    }

    private QuantizedOperator operator(PlannedLayer planned) {
        QuantizationPoint first = planned.points().get(0);
        return new QuantizedOperator(
                node(planned.path()),
                first.startStep(),
                steps.clock(),
                sharesScale(first),
                factory(planned.point(QuantType.INPUT)),
                factory(planned.point(QuantType.OUTPUT)));
    }

    private static boolean sharesScale(QuantizationPoint point) {
        return Boolean.TRUE.equals(point.settings().get(SettingKey.SHARE_SCALE.key()));
    }

    private Quantized wrap(Block block, PlannedLayer planned) {
        Map<Parameter, TensorQuantizer> weights = new LinkedHashMap<>();
        try {
            return wrap(block, planned, weights);
        } catch (RuntimeException e) {
            weights.values().forEach(TensorQuantizer::close);
            throw e;
        }
    }

    private Quantized wrap(
            Block block, PlannedLayer planned, Map<Parameter, TensorQuantizer> weights) {
        Map<String, Parameter> parameters = tree.find(planned.path()).orElseThrow().parameters();
        for (QuantizationPoint point : planned.points(QuantType.WEIGHT)) {
            Parameter parameter = parameters.get(point.tensor());
            if (parameter == null) {
                throw new IllegalStateException(point + ": the layer has no such parameter");
            }
            TensorQuantizer quantizer = create(point);
            weights.put(parameter, quantizer);
            steps.read(parameter, quantizer, point.startStep());
        }
        Optional<LayerArithmetic> arithmetic = algorithm.arithmetic(planned.points(), context);
        if (arithmetic.isPresent()) {
            return new ComputedLayer(
                    block,
                    planned.path(),
                    steps.clock(),
                    weights,
                    Objects.requireNonNull(factory(planned.point(QuantType.INPUT))),
                    arithmetic.get());
        }
        int start = planned.points().get(0).startStep();
        return new QuantizedLayer(
                block,
                planned.path(),
                start,
                steps.clock(),
                steps.watch(),
                context.kernels(),
                weights,
                plan.foldInto(planned.path()).map(this::folded).orElse(null),
                sharesScale(planned.points().get(0)),
                factory(planned.point(QuantType.INPUT)),
                factory(planned.point(QuantType.OUTPUT)));
    }

    private FoldedBatchNorm folded(PlannedFold fold) {
        Layer norm = tree.find(fold.batchNorm()).orElseThrow();
        return new FoldedBatchNorm(
                fold.batchNorm(),
                norm.block(),
                parameter(norm, "gamma"),
                parameter(norm, "beta"),
                parameter(norm, "runningMean"),
                parameter(norm, "runningVar"),
                fold.epsilon(),
                fold.freezeStep());
    }

    private static Parameter parameter(Layer layer, String name) {
        Parameter parameter = layer.parameters().get(name);
        if (parameter == null) {
            throw new IllegalStateException(
                    "layer \"" + layer.path() + "\" has no parameter \"" + name + "\"");
        }
        return parameter;
    }

    private TensorQuantizer create(QuantizationPoint point) {
        TensorQuantizer quantizer = algorithm.create(point, context);
        steps.learn(quantizer);
        return quantizer;
    }

    private @Nullable IntFunction<TensorQuantizer> factory(Optional<QuantizationPoint> first) {
        return first.<IntFunction<TensorQuantizer>>map(p -> position -> create(at(p, position)))
                .orElse(null);
    }

    private static QuantizationPoint at(QuantizationPoint p, int position) {
        return new QuantizationPoint(
                p.layer(),
                p.layerType(),
                p.quantType(),
                String.valueOf(position),
                p.type(),
                p.scheme(),
                p.channelAxis(),
                p.startStep(),
                p.entry(),
                p.settings());
    }

    /** Frees the arrays of all quantizers, and forgets them. */
    @Override
    public void close() {
        byPath.values().forEach(Quantized::close);
        byPath.clear();
        steps.forget();
    }
}
