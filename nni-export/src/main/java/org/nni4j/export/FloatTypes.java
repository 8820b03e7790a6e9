package org.nni4j.export;

import ai.djl.ndarray.types.DataType;
import java.util.List;
import org.nni4j.export.network.TracedNetwork;

/** Networks of other floating types than float32 are not written: few runtimes compute in them. */
final class FloatTypes {

    private FloatTypes() {}

    static List<String> problems(TracedNetwork network) {
        return network.graph().values().stream()
                .filter(v -> v.dataType().isFloating() && v.dataType() != DataType.FLOAT32)
                .limit(1)
                .map(
                        v ->
                                v
                                        + ": the network computes in "
                                        + v.dataType()
                                        + "; expected float32, convert the parameters first")
                .toList();
    }
}
