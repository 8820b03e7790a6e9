package org.nni4j.compression;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;
import org.nni4j.compression.PlacedQuantizers.Place;
import org.nni4j.config.QuantType;
import org.nni4j.placement.PlannedLayer;

/**
 * Takes the states out of a network's quantizers, and puts them back.
 *
 * @param quantizers the network's
 */
record QuantizerStates(PlacedQuantizers quantizers) {

    /** The state of each quantizer there is. */
    List<SavedQuantizer> all() {
        List<SavedQuantizer> states = new ArrayList<>();
        quantizers.forEach(
                (place, quantizer) ->
                        states.add(
                                new SavedQuantizer(
                                        place.layer(),
                                        place.type(),
                                        place.tensor(),
                                        quantizer.state())));
        return states;
    }

    private static Place place(SavedQuantizer saved) {
        return new Place(saved.layer(), saved.type(), saved.tensor());
    }

    /** Compares states with the plan: a line for each that is missing, or not quantized here. */
    List<String> differences(List<SavedQuantizer> states) {
        List<String> lines = new ArrayList<>();
        Set<Place> given = new HashSet<>();
        for (SavedQuantizer saved : states) {
            given.add(place(saved));
            if (!quantizers.isPlanned(place(saved))) {
                lines.add(saved + ": is not quantized in this network");
            }
        }
        for (PlannedLayer layer : quantizers.plan().quantizedLayers()) {
            for (QuantizationPoint point : layer.points(QuantType.WEIGHT)) {
                if (!given.contains(new Place(layer.path(), QuantType.WEIGHT, point.tensor()))) {
                    lines.add(point + ": is missing in the checkpoint");
                }
            }
        }
        return lines;
    }

    /**
     * Goes back to states without {@link #differences}. Inputs and outputs without a state had seen
     * no data then, and have not afterwards.
     *
     * @throws IllegalArgumentException if a state is not what its quantizer wrote; then nothing is
     *     changed
     */
    void load(List<SavedQuantizer> states) {
        List<SavedQuantizer> before = all();
        try {
            apply(states);
        } catch (RuntimeException e) {
            apply(before);
            throw e;
        }
    }

    private void apply(List<SavedQuantizer> states) {
        Set<Place> places = new HashSet<>();
        states.forEach(saved -> places.add(place(saved)));
        // First, so that what is saved has the last word on what quantizers share.
        quantizers.keepOnly(places);
        for (SavedQuantizer saved : states) {
            try {
                quantizers.at(place(saved)).load(saved.state());
            } catch (RuntimeException e) {
                throw new IllegalArgumentException(saved + ": " + e.getMessage(), e);
            }
        }
    }
}
