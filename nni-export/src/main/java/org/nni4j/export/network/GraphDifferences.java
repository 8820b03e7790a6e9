package org.nni4j.export.network;

import java.util.ArrayList;
import java.util.List;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/** Whether two graphs of one network, traced at two batch sizes, have the same operators. */
final class GraphDifferences {

    private GraphDifferences() {}

    /** One line per difference; the first operator that differs ends the search. */
    static List<String> find(Graph one, Graph other) {
        List<String> found = new ArrayList<>();
        int common = Math.min(one.nodes().size(), other.nodes().size());
        for (int i = 0; i < common && found.isEmpty(); i++) {
            compare(one.nodes().get(i), other.nodes().get(i), found);
        }
        if (found.isEmpty() && one.nodes().size() != other.nodes().size()) {
            found.add(
                    "it has "
                            + one.nodes().size()
                            + " operators at one batch size and "
                            + other.nodes().size()
                            + " at another");
        }
        if (found.isEmpty()) {
            compare("the outputs", one.outputs(), other.outputs(), found);
        }
        return found;
    }

    private static void compare(Node one, Node other, List<String> found) {
        if (!one.name().equals(other.name()) || !one.roles().equals(other.roles())) {
            found.add("where one batch size has " + one + ", another has " + other);
            return;
        }
        compare("the inputs of " + one.name(), one.inputs(), other.inputs(), found);
        compare("the outputs of " + one.name(), one.outputs(), other.outputs(), found);
    }

    private static void compare(
            String what, List<Value> one, List<Value> other, List<String> found) {
        boolean same = one.size() == other.size();
        for (int i = 0; same && i < one.size(); i++) {
            Value a = one.get(i);
            Value b = other.get(i);
            same =
                    a.id() == b.id()
                            && a.kind() == b.kind()
                            && a.dataType() == b.dataType()
                            && a.shape().dimension() == b.shape().dimension();
        }
        if (!same) {
            found.add(what + " are " + one + " at one batch size and " + other + " at another");
        }
    }
}
