package org.nni4j.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.ConfigProblem;
import org.nni4j.graph.Graph;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;

/**
 * Matches a config list against a network: for each layer the last entry that speaks of it decides
 * alone.
 *
 * <p>Nothing is changed, and everything that could go wrong is found here, all at once.
 */
public final class QuantizationPlanner {

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
        List<Target> targets = targets(tree, graph);
        NameCheck names = new NameCheck(targets);
        for (int i = 0; i < matchers.size(); i++) {
            problems.addAll(names.problems(matchers.get(i), i));
        }
        if (names.foundTooSlow()) {
            throw new ConfigException(problems);
        }
        return match(tree, targets, matchers, names, graph, problems);
    }

    private List<Target> targets(LayerTree tree, @Nullable Graph graph) {
        List<Target> targets = new ArrayList<>();
        tree.layers().forEach(layer -> targets.add(new Target.OfLayer(layer)));
        if (graph != null) {
            FunctionalOperators.of(tree, graph)
                    .forEach(node -> targets.add(new Target.OfOperator(node)));
        }
        return targets;
    }

    private QuantizationPlan match(
            LayerTree tree,
            List<Target> targets,
            List<EntryMatcher> matchers,
            NameCheck names,
            @Nullable Graph graph,
            List<ConfigProblem> problems) {
        List<PlannedLayer> planned = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        PointPlanner points = new PointPlanner(algorithm, defaults, problems);
        int[] matched = new int[matchers.size()];
        int[] decided = new int[matchers.size()];
        for (Target target : targets) {
            int winner = -1;
            for (int i = 0; i < matchers.size(); i++) {
                if (matchers.get(i).matches(target)) {
                    matched[i]++;
                    winner = i;
                }
            }
            if (winner >= 0) {
                decided[winner]++;
            }
            PlannedLayer layer =
                    points.plan(target, winner < 0 ? null : matchers.get(winner).entry(), winner);
            // Containers and operators are listed only where an entry spoke of them.
            if (layer.isQuantized() || (!target.isContainer() && !layer.operator())) {
                planned.add(layer);
            }
            if (!layer.aliases().isEmpty() && layer.isQuantized()) {
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
            problems.add(nothing(tree.layers(), notes));
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return complete(tree, planned, graph, notes);
    }

    private QuantizationPlan complete(
            LayerTree tree, List<PlannedLayer> planned, @Nullable Graph graph, List<String> notes) {
        List<PlannedFold> folds = List.of();
        List<UnfoldedBatchNorm> unfolded = List.of();
        boolean foldable = algorithm.capabilities().folding();
        if (foldable && graph != null) {
            FoldPlanner planner = new FoldPlanner(tree, planned, graph);
            folds = planner.folds();
            unfolded = planner.unfolded();
        } else if (foldable) {
            notes.add(
                    "no dummy input was given, so the network was not traced: BatchNorm is not"
                            + " folded and functional operators are not quantized");
        }
        return new QuantizationPlan(algorithm.name(), kernels, planned, folds, unfolded, notes);
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
}
