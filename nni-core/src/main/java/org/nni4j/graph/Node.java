package org.nni4j.graph;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One operator of a traced forward pass.
 *
 * @param index its position in execution order, from 0
 * @param name unique and stable from trace to trace: {@code <layer>.<op><n>}, for instance {@code
 *     02Residual.Add1}; without the layer for operators of the root block itself
 * @param op the operator's canonical name, for instance {@code Conv}; for an operator the tracer
 *     does not know, the name of its Java method
 * @param method the Java method that was called
 * @param layer the dotted path of the innermost layer it ran under; empty for the root block itself
 * @param layerType that layer's type, for instance {@code Conv2d}
 * @param run which run of that layer it belongs to, from 0: a layer used twice has two runs
 * @param occurrence which operator of this kind it is within the layer's run, from 1
 * @param inputs the tensors it reads, in argument order
 * @param roles the argument name of each input, for instance {@code weight} or {@code arrays[1]}
 * @param outputs the tensors it makes
 * @param attributes its other arguments by name: numbers, booleans, strings, shapes, data types and
 *     lists of these
 * @param inPlace whether it overwrote its first input; later uses of that array read {@code
 *     outputs[0]}
 */
public record Node(
        int index,
        String name,
        String op,
        String method,
        String layer,
        String layerType,
        int run,
        int occurrence,
        List<Value> inputs,
        List<String> roles,
        List<Value> outputs,
        Map<String, Object> attributes,
        boolean inPlace) {

    /**
     * Copies the collections.
     *
     * @throws IllegalArgumentException unless every input has a role
     */
    public Node {
        inputs = List.copyOf(inputs);
        roles = List.copyOf(roles);
        outputs = List.copyOf(outputs);
        attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
        if (inputs.size() != roles.size()) {
            throw new IllegalArgumentException(
                    "node "
                            + name
                            + ": "
                            + inputs.size()
                            + " inputs, but "
                            + roles.size()
                            + " roles");
        }
    }

    /**
     * Returns the input with the given argument name.
     *
     * @param role for instance {@code weight}
     * @return empty if the argument was null or no tensor
     */
    public Optional<Value> input(String role) {
        int i = roles.indexOf(role);
        return i < 0 ? Optional.empty() : Optional.of(inputs.get(i));
    }

    /**
     * Returns the parameters it reads, in argument order.
     *
     * @return empty for most functional operators
     */
    public List<ParameterRead> parameters() {
        return inputs.stream().map(Value::parameter).flatMap(Optional::stream).toList();
    }

    /**
     * Returns its only output.
     *
     * @return the output
     * @throws IllegalStateException if it has none or several
     */
    public Value output() {
        if (outputs.size() != 1) {
            throw new IllegalStateException(
                    "node " + name + ": expected one output, has " + outputs.size());
        }
        return outputs.get(0);
    }

    /** Returns one line: outputs, operator, inputs and attributes. */
    @Override
    public String toString() {
        return GraphListing.line(this);
    }
}
