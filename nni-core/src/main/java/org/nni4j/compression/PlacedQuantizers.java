package org.nni4j.compression;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.Quantized;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/**
 * A network's quantizers, by where they sit.
 *
 * @param plan says which there are
 * @param layers the quantized layers, by path
 */
record PlacedQuantizers(QuantizationPlan plan, Map<String, Quantized> layers) {

    /**
     * Where a quantizer sits.
     *
     * @param layer the layer's path
     * @param type weight, input or output
     * @param tensor the parameter's name, or the position
     */
    record Place(String layer, QuantType type, String tensor) {

        int position() {
            return Integer.parseInt(tensor);
        }
    }

    /** Visits each quantizer that has seen data, or quantizes a weight, in the network's order. */
    void forEach(BiConsumer<Place, TensorQuantizer> visitor) {
        for (PlannedLayer planned : plan.quantizedLayers()) {
            for (QuantType type : QuantType.values()) {
                of(planned, type)
                        .forEach(
                                (tensor, quantizer) ->
                                        visitor.accept(
                                                new Place(planned.path(), type, tensor),
                                                quantizer));
            }
        }
    }

    /** A layer's quantizers of one type, by tensor. */
    Map<String, TensorQuantizer> of(PlannedLayer planned, QuantType type) {
        Quantized layer = layer(planned.path());
        Map<String, TensorQuantizer> result = new LinkedHashMap<>();
        switch (type) {
            case WEIGHT -> {
                Iterator<QuantizationPoint> points = planned.points(type).iterator();
                layer.weightQuantizers()
                        .values()
                        .forEach(quantizer -> result.put(points.next().tensor(), quantizer));
            }
            case INPUT -> layer.inputQuantizers().forEach((i, q) -> result.put(i.toString(), q));
            case OUTPUT -> layer.outputQuantizers().forEach((i, q) -> result.put(i.toString(), q));
        }
        return result;
    }

    Quantized layer(String path) {
        Quantized layer = layers.get(path);
        if (layer == null) {
            throw new IllegalStateException("layer \"" + path + "\" is not attached");
        }
        return layer;
    }

    /** Tells whether the plan quantizes a tensor. */
    boolean isPlanned(Place place) {
        return plan.layer(place.layer())
                .flatMap(layer -> layer.point(place.type(), place.tensor()))
                .isPresent();
    }

    /** The quantizer of a planned place, which is made if no tensor has arrived there yet. */
    TensorQuantizer at(Place place) {
        Quantized layer = layer(place.layer());
        return switch (place.type()) {
            case WEIGHT ->
                    plan.layer(place.layer())
                            .map(planned -> of(planned, QuantType.WEIGHT).get(place.tensor()))
                            .orElseThrow();
            case INPUT -> layer.inputQuantizer(place.position());
            case OUTPUT -> layer.outputQuantizer(place.position());
        };
    }

    /** Goes back to before any other input or output than these was seen. */
    void keepOnly(Set<Place> places) {
        for (PlannedLayer planned : plan.quantizedLayers()) {
            layer(planned.path())
                    .keepOnly(
                            positions(planned, QuantType.INPUT, places),
                            positions(planned, QuantType.OUTPUT, places));
        }
    }

    private static Set<Integer> positions(PlannedLayer planned, QuantType type, Set<Place> places) {
        return places.stream()
                .filter(place -> place.layer().equals(planned.path()) && place.type() == type)
                .map(Place::position)
                .collect(Collectors.toSet());
    }
}
