package org.nni4j.compression;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.nni4j.checkpoint.Checkpoint;
import org.nni4j.checkpoint.Checkpoint.SavedLayer;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.Suggestion;

/** Holds a checkpoint against what this run would write: every difference is a line. */
final class CheckpointCheck {

    private final Checkpoint saved;
    private final Checkpoint own;
    private final List<String> lines = new ArrayList<>();

    /**
     * Compares what a run was begun with.
     *
     * @param saved what was read
     * @param own as saved now
     */
    CheckpointCheck(Checkpoint saved, Checkpoint own) {
        this.saved = saved;
        this.own = own;
    }

    List<String> differences() {
        if (!saved.algorithm().equals(own.algorithm())) {
            lines.add(
                    "algorithm: \""
                            + saved.algorithm()
                            + "\" made the checkpoint; expected \""
                            + own.algorithm()
                            + "\"");
        }
        if (saved.seed() != own.seed()) {
            lines.add("seed: " + saved.seed() + " in the checkpoint; expected " + own.seed());
        }
        boolean sameConfig = config();
        boolean sameLayers = layers();
        // Another config or network plans something else; that need not be said twice.
        if (sameConfig && sameLayers && saved.algorithm().equals(own.algorithm())) {
            values("", saved.plan(), own.plan());
        }
        if (saved.optimizer().isPresent() != own.optimizer().isPresent()) {
            lines.add(
                    "optimizer: "
                            + (saved.optimizer().isPresent() ? "one" : "none")
                            + " in the checkpoint; expected "
                            + (own.optimizer().isPresent() ? "one" : "none"));
        }
        return lines;
    }

    private boolean config() {
        int before = lines.size();
        try {
            values("config", leaves(saved.config()), leaves(own.config()));
        } catch (ConfigException e) {
            lines.add("config: the checkpoint's config list is none: " + e.getMessage());
        }
        return lines.size() == before;
    }

    private static Map<String, String> leaves(String config) {
        Map<String, String> leaves = new LinkedHashMap<>();
        leaves("", ConfigList.fromJson(config).toMaps(), leaves);
        return leaves;
    }

    private static void leaves(String place, Object value, Map<String, String> leaves) {
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, each) -> leaves(place + "." + key, each, leaves));
        } else if (value instanceof List<?> list && list.stream().anyMatch(Map.class::isInstance)) {
            for (int i = 0; i < list.size(); i++) {
                leaves(place + "[" + i + "]", list.get(i), leaves);
            }
        } else {
            leaves.put(place, String.valueOf(value));
        }
    }

    private void values(String root, Map<String, String> then, Map<String, String> now) {
        differences(then, now, "the checkpoint").forEach(line -> lines.add(root + line));
    }

    /**
     * Compares texts by place: a line for each that differs.
     *
     * @param other what is compared
     * @param own what is expected
     * @param where the other ones are, as the lines call it
     */
    static List<String> differences(
            Map<String, String> other, Map<String, String> own, String where) {
        List<String> lines = new ArrayList<>();
        Set<String> places = new LinkedHashSet<>(own.keySet());
        places.addAll(other.keySet());
        for (String place : places) {
            String there = other.getOrDefault(place, "nothing");
            String here = own.getOrDefault(place, "nothing");
            if (!there.equals(here)) {
                lines.add(place + ": " + there + " in " + where + "; expected " + here);
            }
        }
        return lines;
    }

    private boolean layers() {
        int before = lines.size();
        Map<String, String> then = byPath(saved.layers());
        Map<String, String> now = byPath(own.layers());
        List<String> unknown = now.keySet().stream().filter(p -> !then.containsKey(p)).toList();
        then.forEach(
                (path, type) -> {
                    String present = now.get(path);
                    if (present == null) {
                        lines.add(
                                named(path, type)
                                        + ": is in the checkpoint, but not in this network"
                                        + Suggestion.of(path, unknown).question());
                    } else if (!present.equals(type)) {
                        lines.add(named(path, type) + ": the network has a " + present);
                    }
                });
        now.forEach(
                (path, type) -> {
                    if (!then.containsKey(path)) {
                        lines.add(named(path, type) + ": is not in the checkpoint");
                    }
                });
        return lines.size() == before;
    }

    private static String named(String path, String type) {
        return "layer \"" + path + "\" (" + type + ")";
    }

    private static Map<String, String> byPath(List<SavedLayer> layers) {
        Map<String, String> byPath = new TreeMap<>();
        layers.forEach(layer -> byPath.put(layer.path(), layer.type()));
        return byPath;
    }

    /** Layers that are in both, by path. */
    Set<String> shared() {
        Set<String> shared = new LinkedHashSet<>(byPath(saved.layers()).keySet());
        shared.retainAll(byPath(own.layers()).keySet());
        return shared;
    }
}
