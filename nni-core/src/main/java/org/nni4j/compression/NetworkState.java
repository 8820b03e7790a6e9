package org.nni4j.compression;

import ai.djl.nn.Parameter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nni4j.checkpoint.Checkpoint.SavedLayer;
import org.nni4j.checkpoint.Checkpoint.SavedParameter;
import org.nni4j.checkpoint.SavedArray;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;

/** A network's layers and the values of its parameters. */
final class NetworkState {

    private final Set<Layer> layers;

    NetworkState(LayerTree tree) {
        this.layers = new LinkedHashSet<>(tree.layers());
        layers.add(tree.root());
    }

    /** Every layer; the network itself last, unless it is a single one. */
    List<SavedLayer> layers() {
        return layers.stream().map(layer -> new SavedLayer(layer.path(), layer.type())).toList();
    }

    /** The current values. */
    List<SavedParameter> parameters() {
        List<SavedParameter> saved = new ArrayList<>();
        for (Layer layer : layers) {
            layer.parameters()
                    .forEach(
                            (name, parameter) -> {
                                if (parameter.isInitialized()) {
                                    saved.add(
                                            new SavedParameter(
                                                    layer.path(),
                                                    name,
                                                    SavedArray.of(parameter.getArray())));
                                }
                            });
        }
        return saved;
    }

    /** A name for each parameter that holds in every JVM, by DJL's id. */
    Map<String, String> keys() {
        Map<String, String> keys = new LinkedHashMap<>();
        for (Layer layer : layers) {
            layer.parameters()
                    .forEach(
                            (name, parameter) ->
                                    keys.putIfAbsent(parameter.getId(), layer.path() + ":" + name));
        }
        return keys;
    }

    /** A line for each parameter of the layers named that is not as it was. */
    List<String> differences(List<SavedParameter> saved, Set<String> shared) {
        Map<List<String>, SavedParameter> left = new LinkedHashMap<>();
        saved.forEach(p -> left.put(List.of(p.layer(), p.name()), p));
        List<String> lines = new ArrayList<>();
        for (Layer layer : layers) {
            layer.parameters()
                    .forEach(
                            (name, parameter) -> {
                                SavedParameter p = left.remove(List.of(layer.path(), name));
                                if (shared.contains(layer.path())) {
                                    compare(layer, name, parameter, p, lines);
                                }
                            });
        }
        for (SavedParameter p : left.values()) {
            if (shared.contains(p.layer())) {
                lines.add(named(p.layer(), p.name()) + ": the network has none");
            }
        }
        return lines;
    }

    private static void compare(
            Layer layer,
            String name,
            Parameter parameter,
            @Nullable SavedParameter saved,
            List<String> lines) {
        String what = named(layer.path(), name);
        if (!parameter.isInitialized()) {
            if (saved != null) {
                lines.add(what + ": is not initialized");
            }
        } else if (saved == null) {
            lines.add(what + ": is not in the checkpoint");
        } else if (!saved.array().fits(parameter.getArray())) {
            lines.add(
                    what
                            + ": "
                            + saved.array()
                            + " in the checkpoint; expected "
                            + parameter.getArray().getDataType()
                            + " "
                            + parameter.getArray().getShape());
        }
    }

    private static String named(String layer, String name) {
        return "layer \"" + layer + "\", parameter \"" + name + "\"";
    }

    /** Overwrites parameters in place; there are no {@link #differences}. */
    void load(List<SavedParameter> saved) {
        Map<List<String>, SavedParameter> byName = new LinkedHashMap<>();
        saved.forEach(p -> byName.put(List.of(p.layer(), p.name()), p));
        for (Layer layer : layers) {
            layer.parameters()
                    .forEach(
                            (name, parameter) -> {
                                SavedParameter p = byName.get(List.of(layer.path(), name));
                                if (p != null) {
                                    p.array().copyTo(parameter.getArray());
                                }
                            });
        }
    }

    /** SHA-256 over names, types, shapes and values of all parameters, in hexadecimal. */
    String hash() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (SavedParameter p : parameters()) {
                String head = p.layer() + "\n" + p.name() + "\n" + p.array() + "\n";
                digest.update(head.getBytes(StandardCharsets.UTF_8));
                digest.update(p.array().data().duplicate());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
