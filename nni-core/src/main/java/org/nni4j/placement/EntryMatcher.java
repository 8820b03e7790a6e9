package org.nni4j.placement;

import java.util.List;
import org.nni4j.config.ConfigEntry;
import org.nni4j.config.NamePattern;

/**
 * Tells whether a config entry speaks of a layer or operator: its type is named (or none is), and
 * one of its paths is named or fits a pattern (or none is given).
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

    boolean matches(Target target) {
        return (entry.opTypes().isEmpty() || entry.opTypes().contains(target.type()))
                && target.isNamedBy(entry, patterns);
    }

    List<NamePattern> patterns() {
        return patterns;
    }
}
