package org.nni4j.placement;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.AbstractEmbedding;
import ai.djl.nn.transformer.IdEmbedding;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.ConfigEntry;
import org.nni4j.config.NamePattern;
import org.nni4j.config.QuantType;
import org.nni4j.graph.Node;
import org.nni4j.layer.Layer;

/** What an entry can speak of: a layer, or a functional operator of a traced network. */
sealed interface Target {

    /** The dotted path, or the traced name. */
    String path();

    /** What {@code op_types} name. */
    String type();

    /** Other paths of the same thing. */
    List<String> aliases();

    /** Whether an entry speaks of it by its names; true if the entry gives none. */
    boolean isNamedBy(ConfigEntry entry, List<NamePattern> patterns);

    /** Names of the weight parameters; empty if there are none. */
    List<String> weights();

    /** How errors call it. */
    String kind();

    boolean takesIntegers();

    boolean isContainer();

    int channelAxis(QuantType type);

    default Stream<String> paths() {
        return Stream.concat(Stream.of(path()), aliases().stream());
    }

    /** A layer. */
    record OfLayer(Layer layer) implements Target {

        private static final Set<String> TRANSPOSED = Set.of("Conv1dTranspose", "Conv2dTranspose");
        private static final Set<String> FEATURES_LAST =
                Set.of("Linear", "LSTM", "GRU", "RNN", "LayerNorm", "TransformerEncoderBlock");

        @Override
        public String path() {
            return layer.path();
        }

        @Override
        public String type() {
            return layer.type();
        }

        @Override
        public List<String> aliases() {
            return layer.aliases();
        }

        @Override
        public boolean isNamedBy(ConfigEntry entry, List<NamePattern> patterns) {
            if (entry.opNames().isEmpty() && patterns.isEmpty()) {
                return true;
            }
            return paths().anyMatch(entry.opNames()::contains)
                    || patterns.stream().anyMatch(p -> paths().anyMatch(p::matches));
        }

        @Override
        public List<String> weights() {
            return layer.parameters().entrySet().stream()
                    .filter(e -> e.getValue().getType() == Parameter.Type.WEIGHT)
                    .map(Map.Entry::getKey)
                    .toList();
        }

        @Override
        public String kind() {
            return "layer";
        }

        @Override
        public boolean takesIntegers() {
            Block block = layer.block();
            return block instanceof AbstractEmbedding
                    || block instanceof IdEmbedding
                    || block instanceof ai.djl.modality.nlp.embedding.TextEmbedding;
        }

        @Override
        public boolean isContainer() {
            return layer.isContainer();
        }

        @Override
        public int channelAxis(QuantType type) {
            if (type == QuantType.WEIGHT) {
                return TRANSPOSED.contains(type()) ? 1 : 0;
            }
            return FEATURES_LAST.contains(type()) ? QuantizationPoint.LAST_AXIS : 1;
        }
    }

    /**
     * A functional operator. A pattern alone does not mean it: patterns written for layers would
     * catch operators as soon as a dummy input is given.
     */
    record OfOperator(Node node) implements Target {

        @Override
        public String path() {
            return node.name();
        }

        @Override
        public String type() {
            return node.op();
        }

        @Override
        public List<String> aliases() {
            return List.of();
        }

        @Override
        public boolean isNamedBy(ConfigEntry entry, List<NamePattern> patterns) {
            if (entry.opNames().contains(path())) {
                return true;
            }
            boolean typed = entry.opTypes().contains(type());
            boolean unnamed = entry.opNames().isEmpty() && patterns.isEmpty();
            return typed && (unnamed || patterns.stream().anyMatch(p -> p.matches(path())));
        }

        @Override
        public List<String> weights() {
            return List.of();
        }

        @Override
        public String kind() {
            return "operator";
        }

        @Override
        public boolean takesIntegers() {
            return false;
        }

        @Override
        public boolean isContainer() {
            return false;
        }

        @Override
        public int channelAxis(QuantType type) {
            return 1;
        }
    }
}
