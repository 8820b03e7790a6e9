package org.nni4j.placement;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.nni4j.config.ConfigEntry;
import org.nni4j.config.NamePattern;
import org.nni4j.layer.Layer;

/**
 * Tells whether a config entry speaks of a layer: its type is named (or none is), and one of its
 * paths is named or fits a pattern (or none is given).
 */
final class EntryMatcher {

    private final ConfigEntry entry;
    private final List<NamePattern> patterns;

    EntryMatcher(ConfigEntry entry) {
        this.entry = entry;
        this.patterns = entry.opNamesRe().stream().map(NamePattern::of).toList();
    }

    ConfigEntry entry() {
        return entry;
    }

    boolean matches(Layer layer) {
        return typeMatches(layer) && nameMatches(layer);
    }

    private boolean typeMatches(Layer layer) {
        Set<String> types = entry.opTypes();
        return types.isEmpty() || types.contains(layer.type());
    }

    private boolean nameMatches(Layer layer) {
        if (entry.opNames().isEmpty() && patterns.isEmpty()) {
            return true;
        }
        return paths(layer).anyMatch(entry.opNames()::contains)
                || patterns.stream().anyMatch(p -> fits(p, layer));
    }

    static boolean fits(NamePattern pattern, Layer layer) {
        return paths(layer).anyMatch(pattern::matches);
    }

    static Stream<String> paths(Layer layer) {
        return Stream.concat(Stream.of(layer.path()), layer.aliases().stream());
    }

    List<NamePattern> patterns() {
        return patterns;
    }
}
