package org.nni4j.config;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Gathers problems while a list is checked, so that all are reported together. */
final class Problems {

    /** A hostile file can hold a problem in every byte; nobody reads more than this many. */
    static final int LISTED = 100;

    private final List<ConfigProblem> listed = new ArrayList<>();
    private int unlisted;

    void add(String path, String message) {
        if (isFull()) {
            unlisted++;
        } else {
            listed.add(new ConfigProblem(path, message));
        }
    }

    /** How many were found, listed or not. */
    int count() {
        return listed.size() + unlisted;
    }

    boolean isFull() {
        return listed.size() >= LISTED;
    }

    void throwIfAny(@Nullable String source) {
        if (!listed.isEmpty()) {
            throw exception(source);
        }
    }

    ConfigException exception(@Nullable String source) {
        List<ConfigProblem> all = new ArrayList<>(listed);
        if (unlisted > 0) {
            all.add(new ConfigProblem("config", "further problems are not listed: " + unlisted));
        }
        return new ConfigException(source, all);
    }
}
