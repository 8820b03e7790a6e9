package org.nni4j.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.graph.Graph;

/**
 * What a quantizer will do to a network, known before anything changes. {@link #toString} prints it
 * as a table.
 *
 * @param algorithm the algorithm's name
 * @param kernels the name of the kernels that compute
 * @param layers every layer, quantized or left alone, in the network's order
 * @param folds BatchNorms that are folded into the layer before them
 * @param unfolded BatchNorms that are not, each with its reason; like folds, known only of a traced
 *     network
 * @param notes warnings and explanations, for instance an entry without effect or a layer used
 *     twice
 */
public record QuantizationPlan(
        String algorithm,
        String kernels,
        List<PlannedLayer> layers,
        List<PlannedFold> folds,
        List<UnfoldedBatchNorm> unfolded,
        List<String> notes) {

    private static final List<String> HEADINGS =
            List.of("layer", "type", "tensor", "bits", "dtype", "scheme", "start", "decided by");

    /** Copies the lists. */
    public QuantizationPlan {
        layers = List.copyOf(layers);
        folds = List.copyOf(folds);
        unfolded = List.copyOf(unfolded);
        notes = List.copyOf(notes);
    }

    /**
     * Returns the layers of which something is quantized.
     *
     * @return in the network's order
     */
    public List<PlannedLayer> quantizedLayers() {
        return layers.stream().filter(PlannedLayer::isQuantized).toList();
    }

    /**
     * Finds a layer of which something is quantized.
     *
     * @param path its dotted path, or an operator's traced name
     * @return empty if nothing of it is quantized
     */
    public Optional<PlannedLayer> layer(String path) {
        return layers.stream().filter(l -> l.isQuantized() && l.path().equals(path)).findFirst();
    }

    /**
     * Returns the layers that stay as they are, each with its reason.
     *
     * @return in the network's order
     */
    public List<PlannedLayer> layersLeftAlone() {
        return layers.stream().filter(l -> !l.isQuantized()).toList();
    }

    /**
     * Finds what is folded into a layer.
     *
     * @param layer the path of a convolution or linear layer
     * @return empty if nothing is
     */
    public Optional<PlannedFold> foldInto(String layer) {
        return folds.stream().filter(f -> f.layer().equals(layer)).findFirst();
    }

    /**
     * Returns the quantization points and folds as marks for a graph, to be given to {@link
     * Graph#toDot}, {@link Graph#toMermaid} or {@link Graph#toString(Map)}.
     *
     * @param graph the network this plan was made for
     * @return for instance {@code "input uint8, weight int8"} by node name
     */
    public Map<String, String> marks(Graph graph) {
        return GraphMarks.of(this, graph);
    }

    @Override
    public String toString() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        for (PlannedLayer layer : layers) {
            for (QuantizationPoint p : layer.points()) {
                rows.add(
                        List.of(
                                layer.path(),
                                layer.type(),
                                tensor(p),
                                String.valueOf(p.type().bits()),
                                p.type().dtype().key(),
                                p.scheme().key(),
                                String.valueOf(p.startStep()),
                                "config[" + p.entry() + "]"));
            }
        }
        StringBuilder text = new StringBuilder(256);
        text.append("algorithm ").append(algorithm).append(", kernels ").append(kernels);
        text.append(": ").append(quantizedLayers().size()).append(" of ").append(layers.size());
        text.append(" layers quantized\n").append(columns(rows));
        if (!layersLeftAlone().isEmpty()) {
            text.append("left alone\n");
            text.append(
                    columns(
                            layersLeftAlone().stream()
                                    .map(l -> List.of("  " + l.path(), l.type(), l.reason()))
                                    .toList()));
        }
        folds.forEach(
                fold ->
                        text.append("folded: ")
                                .append(fold.batchNorm())
                                .append(" into ")
                                .append(fold.layer())
                                .append('\n'));
        unfolded.forEach(
                norm ->
                        text.append("not folded: ")
                                .append(norm.batchNorm())
                                .append(", ")
                                .append(norm.reason())
                                .append('\n'));
        notes.forEach(note -> text.append("note: ").append(note).append('\n'));
        return text.toString();
    }

    private static String tensor(QuantizationPoint point) {
        return switch (point.quantType()) {
            case WEIGHT -> "weight".equals(point.tensor()) ? "weight" : "weight " + point.tensor();
            case INPUT -> "input";
            case OUTPUT -> "output";
        };
    }

    private static String columns(List<List<String>> rows) {
        int[] widths = new int[rows.get(0).size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        return rows.stream().map(row -> line(row, widths)).collect(Collectors.joining());
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
        }
        return line.toString().stripTrailing() + "\n";
    }
}
