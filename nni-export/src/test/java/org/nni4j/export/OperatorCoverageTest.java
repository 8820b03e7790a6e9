package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.export.operator.OperatorMappings;
import org.nni4j.fixtures.Networks;

/** No operator has a mapping that is not compared with DJL, or with numbers by hand. */
class OperatorCoverageTest {

    /** By hand, since DJL's PyTorch engine does not compute them: {@code UntracedOperatorsTest}. */
    private static final Set<String> BY_HAND = Set.of("BatchDot", "ConvTranspose", "Prelu");

    /** In {@code NormPoolTest}. */
    private static final Set<String> ELSEWHERE = Set.of("LpPool");

    /** Networks that {@code EveryNetworkTest} compares, with operators that no case has. */
    private static final Set<String> NETWORKS = Set.of("BERT", "Norms", "SSD");

    @Test
    void operators_areAllCompared() {
        Set<String> compared = new TreeSet<>(BY_HAND);
        try (NDManager manager = NDManager.newBaseManager()) {
            compared.addAll(ELSEWHERE);
            compared.addAll(OperatorsTest.operators(manager));
            compared.addAll(LayersTest.operators(manager));
            for (String name : NETWORKS) {
                Networks.Network network = Networks.named(name);
                TracedNetwork.fixed(network.initialized(manager), network.arrays(manager))
                        .graph()
                        .nodes()
                        .forEach(node -> compared.add(node.op()));
            }
        }

        assertThat(compared).containsAll(OperatorMappings.operators());
    }
}
