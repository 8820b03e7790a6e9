package org.nni4j.placement;

import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Convolution;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.nni4j.config.QuantType;
import org.nni4j.config.SettingKey;
import org.nni4j.graph.BatchNormFold;
import org.nni4j.graph.BatchNormPattern;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Node;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;

/**
 * Decides which BatchNorms of a traced network are folded: those whose layer quantizes its weight,
 * and nothing in between.
 */
final class FoldPlanner {

    private final LayerTree tree;
    private final Map<String, PlannedLayer> planned;
    private final List<PlannedFold> folds = new ArrayList<>();
    private final List<UnfoldedBatchNorm> unfolded = new ArrayList<>();

    FoldPlanner(LayerTree tree, List<PlannedLayer> layers, Graph graph) {
        this.tree = tree;
        this.planned =
                layers.stream().collect(Collectors.toMap(PlannedLayer::path, Function.identity()));
        BatchNormPattern pattern = BatchNormPattern.findAll(graph);
        pattern.refusals()
                .forEach(r -> unfolded.add(new UnfoldedBatchNorm(r.batchNorm(), r.reason())));
        for (BatchNormFold fold : pattern.folds()) {
            Optional<String> reason = refuse(fold);
            if (reason.isPresent()) {
                unfolded.add(new UnfoldedBatchNorm(fold.batchNorm(), reason.get()));
            } else {
                folds.add(plan(fold));
            }
        }
    }

    List<PlannedFold> folds() {
        return folds;
    }

    List<UnfoldedBatchNorm> unfolded() {
        return unfolded;
    }

    private PlannedFold plan(BatchNormFold fold) {
        PlannedLayer layer = planned.get(fold.layer());
        Object freeze =
                layer == null
                        ? null
                        : layer.points().get(0).settings().get(SettingKey.BN_FREEZE_STEP.key());
        return new PlannedFold(
                fold.layer(),
                fold.batchNorm(),
                epsilon(fold.batchNormNode()),
                freeze instanceof Number n ? n.longValue() : 0);
    }

    private static float epsilon(Node batchNorm) {
        Object epsilon = batchNorm.attributes().get("epsilon");
        return ((Number) Objects.requireNonNull(epsilon, "a BatchNorm has an epsilon"))
                .floatValue();
    }

    private Optional<String> refuse(BatchNormFold fold) {
        PlannedLayer layer = planned.get(fold.layer());
        String name = "\"" + fold.layer() + "\"";
        if (layer == null || layer.points(QuantType.WEIGHT).isEmpty()) {
            return Optional.of("the weight of " + name + " is not quantized");
        }
        if (layer.point(QuantType.OUTPUT).isPresent()) {
            return Optional.of("the output of " + name + " is quantized in between");
        }
        PlannedLayer norm = planned.get(fold.batchNorm());
        if (norm != null && norm.point(QuantType.INPUT).isPresent()) {
            return Optional.of("its input is quantized");
        }
        Block block = block(fold.layer());
        if (!(block instanceof Convolution || block instanceof Linear)) {
            return Optional.of(
                    name
                            + " is a "
                            + block.getClass().getName()
                            + ", whose bias cannot be replaced");
        }
        if (!(block(fold.batchNorm()) instanceof BatchNorm)) {
            return Optional.of("it is not a BatchNorm layer of its own");
        }
        return Optional.empty();
    }

    private Block block(String path) {
        return tree.find(path).map(Layer::block).orElseThrow();
    }
}
