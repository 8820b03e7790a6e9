package org.nni4j.checkpoint;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import java.util.Map;

/**
 * An optimizer that shows what it remembers of each parameter, so that checkpoints can hold it.
 *
 * <p>DJL's own optimizers need not, and neither does one whose fields are of the kinds they have:
 * maps from parameter id to device to array, learning-rate trackers, and final numbers.
 */
public interface StatefulOptimizer {

    /**
     * Returns everything the optimizer remembers beyond DJL's update counts.
     *
     * @return by a name for each quantity, the live map from parameter id to device to array.
     *     Arrays are read when a checkpoint is saved; when one is loaded, entries are put and
     *     removed, and the optimizer owns the new arrays. The names and the maps are the same at
     *     every call
     */
    Map<String, Map<String, Map<Device, NDArray>>> parameterStates();

    /**
     * Returns what the optimizer was built with. A checkpoint of an optimizer with other settings
     * is refused.
     *
     * @return by name, for instance {@code momentum}: {@code 0.9}
     */
    default Map<String, String> settings() {
        return Map.of();
    }
}
