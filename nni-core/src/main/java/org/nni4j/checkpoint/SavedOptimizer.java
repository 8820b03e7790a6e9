package org.nni4j.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An optimizer's memory. Parameters go by keys that hold in every JVM, since DJL's own ids do not.
 *
 * @param type the class's name
 * @param settings what it was built with, as far as it shows, for instance {@code momentum}: {@code
 *     0.9}
 * @param updates the largest of the counts, as the optimizer remembers it
 * @param counts the updates of each parameter
 * @param arrays momentum and the like
 */
public record SavedOptimizer(
        String type,
        Map<String, String> settings,
        int updates,
        Map<String, Integer> counts,
        List<State> arrays) {

    /** Copies the collections. */
    public SavedOptimizer {
        settings = new LinkedHashMap<>(settings);
        counts = new LinkedHashMap<>(counts);
        arrays = List.copyOf(arrays);
    }

    /**
     * What is remembered of one parameter on one device.
     *
     * @param name of the quantity, for instance {@code momentumStates}
     * @param parameter the parameter's key
     * @param device DJL's device type and number, for instance {@code cpu} and -1
     * @param deviceId the number
     * @param array the values
     */
    public record State(
            String name, String parameter, String device, int deviceId, SavedArray array) {}
}
