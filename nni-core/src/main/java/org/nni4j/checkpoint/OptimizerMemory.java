package org.nni4j.checkpoint;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.optimizer.Optimizer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What an optimizer remembers from step to step: momentum and the like, and update counts. Memory
 * of parameters that are not this network's is left alone and not saved.
 */
public final class OptimizerMemory {

    private final Optimizer optimizer;
    private final OptimizerFields fields;
    private final UpdateCounts updates;

    private OptimizerMemory(Optimizer optimizer) {
        this.optimizer = optimizer;
        this.fields = new OptimizerFields(optimizer);
        this.updates = new UpdateCounts(optimizer);
    }

    /**
     * Looks into an optimizer.
     *
     * @param optimizer one of DJL's, a {@link StatefulOptimizer}, or one with fields of the same
     *     kinds as DJL's
     * @return its memory
     * @throws IllegalStateException if it has a field that cannot be saved; the message names it
     */
    public static OptimizerMemory of(Optimizer optimizer) {
        return new OptimizerMemory(optimizer);
    }

    /**
     * Copies the memory.
     *
     * @param keys a lasting key by parameter id
     * @return the memory of those parameters
     */
    public SavedOptimizer save(Map<String, String> keys) {
        Map<String, Integer> counts = new TreeMap<>();
        updates.byId()
                .forEach(
                        (id, count) -> {
                            String key = keys.get(id);
                            if (key != null) {
                                counts.put(key, count);
                            }
                        });
        List<SavedOptimizer.State> arrays = new ArrayList<>();
        fields.states()
                .forEach(
                        (name, byId) ->
                                keys.forEach((id, key) -> save(name, key, byId.get(id), arrays)));
        return new SavedOptimizer(
                optimizer.getClass().getName(),
                fields.settings(),
                updates.largest(),
                counts,
                arrays);
    }

    private static void save(
            String name,
            String key,
            @Nullable Map<Device, NDArray> byDevice,
            List<SavedOptimizer.State> arrays) {
        if (byDevice == null) {
            return;
        }
        byDevice.entrySet().stream()
                .sorted(Comparator.comparing(entry -> entry.getKey().toString()))
                .forEach(
                        entry ->
                                arrays.add(
                                        new SavedOptimizer.State(
                                                name,
                                                key,
                                                entry.getKey().getDeviceType(),
                                                entry.getKey().getDeviceId(),
                                                SavedArray.of(entry.getValue()))));
    }

    /**
     * Compares.
     *
     * @param saved the memory of some optimizer
     * @return a line for each reason why this optimizer cannot take it; empty if it can
     */
    public List<String> differences(SavedOptimizer saved) {
        List<String> lines = new ArrayList<>();
        String type = optimizer.getClass().getName();
        if (!saved.type().equals(type)) {
            lines.add("optimizer: " + saved.type() + " made the checkpoint; expected " + type);
            return lines;
        }
        Map<String, String> all = new LinkedHashMap<>(saved.settings());
        fields.settings().forEach(all::putIfAbsent);
        for (String name : all.keySet()) {
            String then = saved.settings().getOrDefault(name, "nothing");
            String now = fields.settings().getOrDefault(name, "nothing");
            if (!then.equals(now)) {
                lines.add(
                        "optimizer." + name + ": " + then + " in the checkpoint; expected " + now);
            }
        }
        for (SavedOptimizer.State state : saved.arrays()) {
            if (!fields.states().containsKey(state.name())) {
                lines.add("optimizer." + state.name() + ": the optimizer remembers no such thing");
            }
        }
        return lines;
    }

    /**
     * Takes a memory over in place of its own, wholly or not at all.
     *
     * @param saved without {@link #differences}
     * @param keys a lasting key by parameter id
     * @param manager makes the arrays; they are then the optimizer's own, on no manager
     * @throws IllegalArgumentException if it knows a parameter that has no key
     */
    public void load(SavedOptimizer saved, Map<String, String> keys, NDManager manager) {
        Map<String, String> ids = new LinkedHashMap<>();
        keys.forEach((id, key) -> ids.put(key, id));
        Map<String, Integer> counts = new LinkedHashMap<>();
        saved.counts().forEach((key, count) -> counts.put(id(ids, key), count));
        List<Remembered> made = new ArrayList<>();
        try (NDManager scope = manager.newSubManager()) {
            for (SavedOptimizer.State state : saved.arrays()) {
                made.add(remembered(state, id(ids, state.parameter()), scope));
            }
            made.forEach(remembered -> remembered.array().detach());
        }
        forget(keys.keySet());
        updates.byId().putAll(counts);
        updates.setLargest(saved.updates());
        made.forEach(Remembered::put);
    }

    private record Remembered(
            Map<String, Map<Device, NDArray>> byId, String id, Device device, NDArray array) {

        void put() {
            byId.computeIfAbsent(id, unused -> new ConcurrentHashMap<>()).put(device, array);
        }
    }

    private Remembered remembered(SavedOptimizer.State state, String id, NDManager scope) {
        Map<String, Map<Device, NDArray>> byId = fields.states().get(state.name());
        if (byId == null) {
            throw new IllegalArgumentException(
                    "optimizer." + state.name() + ": the optimizer remembers no such thing");
        }
        Device device = Device.of(state.device(), state.deviceId());
        NDArray array = state.array().toArray(scope).toDevice(device, false);
        array.attach(scope);
        return new Remembered(byId, id, device, array);
    }

    private static String id(Map<String, String> ids, String key) {
        String id = ids.get(key);
        if (id == null) {
            throw new IllegalArgumentException(
                    "optimizer: remembers \"" + key + "\", which is not trained here");
        }
        return id;
    }

    /**
     * Forgets parameters, as if they had never been updated.
     *
     * @param ids DJL's; unknown ones are passed over
     */
    public void forget(Collection<String> ids) {
        for (String id : ids) {
            updates.byId().remove(id);
            for (Map<String, Map<Device, NDArray>> byId : fields.states().values()) {
                Map<Device, NDArray> old = byId.remove(id);
                if (old != null) {
                    old.values().forEach(NDArray::close);
                }
            }
        }
    }
}
