package org.nni4j.placement;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;

/**
 * What will happen to one layer.
 *
 * @param path the layer's dotted path
 * @param type its type
 * @param aliases other paths of the same block object
 * @param points what is quantized: each weight parameter, and position 0 of inputs and outputs,
 *     which stands for all; empty if the layer is left alone
 * @param reason why the layer is left alone; empty text if it is quantized
 * @param operator true for a functional operator, which goes by its traced name
 */
public record PlannedLayer(
        String path,
        String type,
        List<String> aliases,
        List<QuantizationPoint> points,
        String reason,
        boolean operator) {

    private static final Pattern POSITION = Pattern.compile("\\d{1,6}");

    /** Copies the lists. */
    public PlannedLayer {
        aliases = List.copyOf(aliases);
        points = List.copyOf(points);
    }

    /**
     * Tells whether anything of the layer is quantized.
     *
     * @return false if it is left alone
     */
    public boolean isQuantized() {
        return !points.isEmpty();
    }

    /**
     * Returns the points of one quant type.
     *
     * @param type weight, input or output
     * @return several for weights of layers such as LSTM
     */
    public List<QuantizationPoint> points(QuantType type) {
        return points.stream().filter(p -> p.quantType() == type).toList();
    }

    /**
     * Returns the point that stands for all inputs, or all outputs.
     *
     * @param type input or output
     * @return empty if that is not quantized
     */
    public Optional<QuantizationPoint> point(QuantType type) {
        return points(type).stream().findFirst();
    }

    /**
     * Finds the point of a tensor.
     *
     * @param type weight, input or output
     * @param tensor the parameter's name, or the position in digits
     * @return for inputs and outputs the point that stands for all; empty if it is not quantized,
     *     or no such position
     */
    public Optional<QuantizationPoint> point(QuantType type, String tensor) {
        if (type == QuantType.WEIGHT) {
            return points(type).stream().filter(p -> p.tensor().equals(tensor)).findFirst();
        }
        return POSITION.matcher(tensor).matches() ? point(type) : Optional.empty();
    }
}
