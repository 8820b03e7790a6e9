package org.nni4j.placement;

import ai.djl.modality.nlp.embedding.TextEmbedding;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.AbstractEmbedding;
import ai.djl.nn.transformer.IdEmbedding;

import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.ConfigEntry;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.QuantType;
import org.nni4j.config.Suggestion;
import org.nni4j.graph.Graph;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Matches a config list against a network: for each layer the last entry that speaks of it decides
 * alone.
 *
 * <p>Nothing is changed, and everything that could go wrong is found here, all at once.
 */
public final class QuantizationPlanner {

    private static final Set<String> TRANSPOSED = Set.of("Conv1dTranspose", "Conv2dTranspose");
    private static final Set<String> FEATURES_LAST =
            Set.of("Linear", "LSTM", "GRU", "RNN", "LayerNorm", "TransformerEncoderBlock");

    private final QuantizationAlgorithm algorithm;
    private final @Nullable QuantizationDefaults defaults;
    private final String kernels;

    /**
     * Plans for an algorithm.
     *
     * @param algorithm says what is supported
     * @param defaults hold where an entry names no dtype or scheme; null for the algorithm's own,
     *     and {@link QuantizationDefaults#runtime()} where it has none
     * @param kernels the name of the kernels that will compute
     */
    public QuantizationPlanner(
            QuantizationAlgorithm algorithm,
            @Nullable QuantizationDefaults defaults,
            String kernels) {
        this.algorithm = algorithm;
        this.defaults = defaults;
        this.kernels = kernels;
    }

    /**
     * Plans.
     *
     * @param tree the network
     * @param config what is asked for
     * @param graph the network as traced; null if it was not
     * @return what will be done
     * @throws ConfigException listing everything the list asks that cannot be done
     */
    public QuantizationPlan plan(LayerTree tree, ConfigList config, @Nullable Graph graph) {
        List<EntryMatcher> matchers = config.entries().stream().map(EntryMatcher::new).toList();
        List<ConfigProblem> problems = new ArrayList<>();
        CapabilityCheck capabilities = new CapabilityCheck(algorithm);
        for (int i = 0; i < matchers.size(); i++) {
            problems.addAll(capabilities.problems(matchers.get(i).entry(), i));
        }
        NameCheck names = new NameCheck(tree.layers());
        for (int i = 0; i < matchers.size(); i++) {
            problems.addAll(names.problems(matchers.get(i), i));
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return match(tree, matchers, names, graph);
    }

    private QuantizationPlan match(
            LayerTree tree, List<EntryMatcher> matchers, NameCheck names, @Nullable Graph graph) {
        List<Layer> layers = tree.layers();
        List<ConfigProblem> problems = new ArrayList<>();
        List<PlannedLayer> planned = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        int[] matched = new int[matchers.size()];
        int[] decided = new int[matchers.size()];
        for (Layer layer : layers) {
            int winner = -1;
            for (int i = 0; i < matchers.size(); i++) {
                if (matchers.get(i).matches(layer)) {
                    matched[i]++;
                    winner = i;
                }
            }
            if (winner >= 0) {
                decided[winner]++;
            }
            ConfigEntry entry = winner < 0 ? null : matchers.get(winner).entry();
            planned.add(plan(layer, entry, winner, problems));
            if (!layer.aliases().isEmpty() && entry != null && !entry.exclude()) {
                notes.add(
                        "layer \""
                                + layer.path()
                                + "\" is also used as "
                                + layer.aliases()
                                + "; it is quantized once, under its first name");
            }
        }
        for (int i = 0; i < matchers.size(); i++) {
            notes.addAll(names.notes(matchers.get(i), i));
            if (matched[i] > 0 && decided[i] == 0) {
                notes.add(
                        "config["
                                + i
                                + "] has no effect: later entries decide all "
                                + matched[i]
                                + " layers it matches");
            }
        }
        if (problems.isEmpty() && planned.stream().noneMatch(PlannedLayer::isQuantized)) {
            problems.add(nothing(layers, notes));
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return complete(tree, leaves(planned, layers), graph, notes);
    }

    private QuantizationPlan complete(
            LayerTree tree,
            List<PlannedLayer> planned,
            @Nullable Graph graph,
            List<String> notes) {
        List<PlannedFold> folds = List.of();
        List<UnfoldedBatchNorm> unfolded = List.of();
        boolean foldable = algorithm.capabilities().folding();
        if (foldable && graph == null) {
            notes.add(
                    "no dummy input was given, so the network was not traced: BatchNorm is not folded"
                            + " and functional operators are not quantized");
        } else if (foldable) {
            FoldPlanner planner = new FoldPlanner(tree, planned, graph);
            folds = planner.folds();
            unfolded = planner.unfolded();
        }
        return new QuantizationPlan(
                algorithm.name(), kernels, planned, folds, unfolded, notes);
    }

    private static ConfigProblem nothing(List<Layer> layers, List<String> notes) {
        Set<String> types = new TreeSet<>();
        layers.forEach(layer -> types.add(layer.type()));
        return new ConfigProblem(
                "config",
                "no layer would be quantized; the network's layer types are "
                        + types
                        + (notes.isEmpty() ? "" : " (" + String.join("; ", notes) + ")"));
    }

    /**
     * Containers are listed only where an entry spoke of them; their layers speak for themselves.
     */
    private static List<PlannedLayer> leaves(List<PlannedLayer> planned, List<Layer> layers) {
        List<PlannedLayer> kept = new ArrayList<>();
        for (int i = 0; i < planned.size(); i++) {
            if (planned.get(i).isQuantized() || !layers.get(i).isContainer()) {
                kept.add(planned.get(i));
            }
        }
        return kept;
    }

    private PlannedLayer plan(
            Layer layer, @Nullable ConfigEntry entry, int index, List<ConfigProblem> problems) {
        if (entry == null) {
            return alone(layer, "no entry matches");
        }
        if (entry.exclude()) {
            return alone(layer, "excluded by config[" + index + "]");
        }
        List<QuantizationPoint> points = new ArrayList<>();
        for (QuantType type : QuantType.values()) {
            if (!entry.quantTypes().contains(type)) {
                continue;
            }
            if (type == QuantType.INPUT && takesIntegers(layer.block())) {
                problems.add(
                        new ConfigProblem(
                                "config[" + index + "].quant_types",
                                "layer \""
                                        + layer.path()
                                        + "\" ("
                                        + layer.type()
                                        + ") takes integer indices, which cannot be quantized;"
                                        + " leave \"input\" out or give layers of this type an"
                                        + " entry of their own"));
            } else if (type != QuantType.WEIGHT) {
                points.add(point(layer, entry, index, type, "0"));
            } else if (layer.weights().isEmpty()) {
                problems.add(
                        new ConfigProblem(
                                "config[" + index + "].quant_types",
                                "layer \""
                                        + layer.path()
                                        + "\" ("
                                        + layer.type()
                                        + ") has no weight; leave \"weight\" out or give layers of"
                                        + " this type an entry of their own"));
            } else {
                layer.parameters()
                        .forEach(
                                (name, parameter) -> {
                                    if (parameter.getType() == Parameter.Type.WEIGHT) {
                                        points.add(point(layer, entry, index, type, name));
                                    }
                                });
            }
        }
        points.forEach(point -> check(point, problems));
        return new PlannedLayer(layer.path(), layer.type(), layer.aliases(), points, "");
    }

    private void check(QuantizationPoint point, List<ConfigProblem> problems) {
        try {
            algorithm.check(point);
        } catch (IllegalArgumentException e) {
            problems.add(
                    new ConfigProblem(
                            "config[" + point.entry() + "]", String.valueOf(e.getMessage())));
        }
    }

    private static boolean takesIntegers(Block block) {
        return block instanceof AbstractEmbedding
                || block instanceof IdEmbedding
                || block instanceof TextEmbedding;
    }

    private static PlannedLayer alone(Layer layer, String reason) {
        return new PlannedLayer(layer.path(), layer.type(), layer.aliases(), List.of(), reason);
    }

    private QuantizationPoint point(
            Layer layer, ConfigEntry entry, int index, QuantType type, String tensor) {
        QuantizationDtype dtype = entry.quantDtype().getOrDefault(type, dtype(type));
        QuantizationScheme scheme = entry.quantScheme().getOrDefault(type, scheme(type));
        return new QuantizationPoint(
                layer.path(),
                layer.type(),
                type,
                tensor,
                new QuantizedType(CapabilityCheck.bits(entry, type), dtype),
                scheme,
                channelAxis(layer, type),
                entry.quantStartStep(),
                index,
                entry.settings());
    }

    private QuantizationDtype dtype(QuantType type) {
        if (defaults != null && algorithm.capabilities().dtypeSelectable()) {
            return defaults.dtype(type);
        }
        return algorithm.defaultDtype(type).orElse(QuantizationDefaults.runtime().dtype(type));
    }

    private QuantizationScheme scheme(QuantType type) {
        if (defaults != null
                && algorithm.capabilities().schemes().contains(defaults.scheme(type))) {
            return defaults.scheme(type);
        }
        return algorithm.defaultScheme(type).orElse(QuantizationDefaults.runtime().scheme(type));
    }

    private static int channelAxis(Layer layer, QuantType type) {
        if (type == QuantType.WEIGHT) {
            return TRANSPOSED.contains(layer.type()) ? 1 : 0;
        }
        return FEATURES_LAST.contains(layer.type()) ? QuantizationPoint.LAST_AXIS : 1;
    }

    /** Finds names, patterns and types that speak of nothing in the network. */
    private static final class NameCheck {

        private final List<Layer> layers;
        private final Set<String> paths = new LinkedHashSet<>();
        private final Set<String> types = new TreeSet<>();

        NameCheck(List<Layer> layers) {
            this.layers = layers;
            for (Layer layer : layers) {
                EntryMatcher.paths(layer).forEach(paths::add);
                types.add(layer.type());
            }
        }

        List<ConfigProblem> problems(EntryMatcher matcher, int index) {
            List<ConfigProblem> problems = new ArrayList<>();
            for (String name : matcher.entry().opNames()) {
                if (!paths.contains(name)) {
                    problems.add(
                            new ConfigProblem(
                                    "config[" + index + "].op_names",
                                    "no layer is named \"" + name + "\"" + nearest(name)));
                }
            }
            matcher.patterns().stream()
                    .filter(p -> layers.stream().noneMatch(layer -> EntryMatcher.fits(p, layer)))
                    .forEach(
                            p ->
                                    problems.add(
                                            new ConfigProblem(
                                                    "config[" + index + "].op_names_re",
                                                    "no layer's name matches \"" + p + "\"")));
            return problems;
        }

        private String nearest(String name) {
            String question = Suggestion.of(name, paths).question();
            return question.isEmpty()
                    ? "; the first of its " + paths.size() + " layers are " + first()
                    : question;
        }

        private List<String> first() {
            return paths.stream().limit(5).toList();
        }

        List<String> notes(EntryMatcher matcher, int index) {
            List<String> notes = new ArrayList<>();
            for (String type : matcher.entry().opTypes()) {
                if (!types.contains(type)) {
                    notes.add(
                            "config["
                                    + index
                                    + "].op_types: the network has no layer of type \""
                                    + type
                                    + "\"; it has "
                                    + types);
                }
            }
            if (notes.isEmpty() && layers.stream().noneMatch(matcher::matches)) {
                notes.add(
                        "config["
                                + index
                                + "] matches no layer: op_types and names must hold together");
            }
            return notes;
        }
    }
}
