package org.nni4j.export;

import java.util.ArrayList;
import java.util.List;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Readback;

/** What a trace does not promise for other inputs: some of it forbids an export. */
record ReadbackCheck(List<String> problems, List<String> notes) {

    static ReadbackCheck of(Graph graph) {
        List<String> problems = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        if (graph.training()) {
            problems.add("a training pass was traced; trace inference");
        }
        for (Readback readback : graph.readbacks()) {
            switch (readback.kind()) {
                // What was read may have been printed only; what was computed from it is a
                // constant.
                case READ -> notes.add(readback + "; what Java made of it holds for this input");
                case RANDOM ->
                        problems.add(readback + "; pass them as an input, or remove the operator");
                case DATA_DEPENDENT_SHAPE, OVERWRITTEN_VIEW, ESCAPED ->
                        problems.add(readback.toString());
            }
        }
        return new ReadbackCheck(problems, notes);
    }
}
