package org.nni4j.graph;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/** Knows which layer the pass is in, and counts the operators of each layer. */
final class PathTracker {

    private final Deque<Run> runs = new ArrayDeque<>();
    private final Map<String, Integer> runsByPath = new HashMap<>();
    private final Map<String, Integer> named = new HashMap<>();

    /** The place of a failure: the innermost layer that was left by an exception. */
    private String failed = "";

    /** One run of one layer. */
    static final class Run {
        final String path;
        final String type;
        final int number;
        private final Map<String, Integer> operators = new HashMap<>();

        private Run(String path, String type, int number) {
            this.path = path;
            this.type = type;
            this.number = number;
        }

        /** Counts one operator of the kind, from 1. */
        int next(String op) {
            return operators.merge(op, 1, Integer::sum);
        }
    }

    void enter(String path, String type) {
        runs.push(new Run(path, type, runsByPath.merge(path, 1, Integer::sum) - 1));
    }

    void leave() {
        runs.pop();
    }

    void fail() {
        if (failed.isEmpty()) {
            failed = describe(runs.getFirst());
        }
    }

    /** What failed, for a message. */
    String failed() {
        return failed.isEmpty() ? "the root block" : failed;
    }

    Run current() {
        return runs.getFirst();
    }

    /** A name no other operator of the pass has. */
    String name(String op) {
        String path = current().path;
        String prefix = path.isEmpty() ? op : path + "." + op;
        return prefix + named.merge(prefix, 1, Integer::sum);
    }

    private static String describe(Run run) {
        return run.path.isEmpty() ? "" : "layer \"" + run.path + "\" (" + run.type + ")";
    }
}
