package org.nni4j.layer;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Cost grows with the number of slots, not with its square. */
class LayerTreeScaleTest {

    private static final int LAYERS = 2_000;

    /** Far beyond what it takes, far below what a walk per layer would take. */
    private static final Duration LIMIT = Duration.ofSeconds(2);

    /** Time of this thread alone: other work on the machine must not fail the test. */
    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static void attachAndDetach(Block root, int layers) {
        LayerTree first = LayerTree.of(new Networks.FinalLinearField()); // loads the classes
        first.attach(CountingWrapper.around(first.layers()));
        long start = cpuNanos();
        LayerTree tree = LayerTree.of(root);
        assertThat(tree.layers()).hasSize(layers);
        Attachment attachment = tree.attach(CountingWrapper.around(tree.layers()));
        attachment.detach();
        assertThat(Duration.ofNanos(cpuNanos() - start)).isLessThan(LIMIT);
    }

    @Test
    @Timeout(60)
    void attach_oneLongSequence_isLinear() {
        SequentialBlock root = new SequentialBlock();
        for (int i = 0; i < LAYERS; i++) {
            root.add(Networks.linear());
        }
        attachAndDetach(root, LAYERS);
    }

    @Test
    @Timeout(60)
    void attach_manyTypedFieldsAndLists_isLinear() {
        SequentialBlock root = new SequentialBlock();
        int perRound = 1 + 2 + 1 + 3;
        for (int i = 0; i < LAYERS / perRound; i++) {
            root.add(new Networks.FinalLinearField());
            root.add(new Networks.ImmutableListField());
        }
        attachAndDetach(root, LAYERS / perRound * perRound);
    }

    @Test
    @Timeout(60)
    void attach_deepNesting_isLinear() {
        Block root = Networks.linear();
        for (int i = 0; i < 500; i++) {
            root = new SequentialBlock().add(root).add(Networks.linear());
        }
        attachAndDetach(root, 1_000);
    }

    @Test
    @Timeout(60)
    void detach_everythingMoved_isFastEnough() {
        Networks.ListField root = new Networks.ListField(new ArrayList<>());
        for (int i = 0; i < LAYERS; i++) {
            root.layers.add(root.child("c", Networks.linear()));
        }
        LayerTree tree = LayerTree.of(root);
        Attachment attachment = tree.attach(CountingWrapper.around(tree.layers()));
        List<Block> wrapped = List.copyOf(root.layers);
        root.layers.add(0, Networks.linear());

        long start = cpuNanos();
        attachment.detach();

        assertThat(Duration.ofNanos(cpuNanos() - start)).isLessThan(LIMIT);
        assertThat(root.layers).doesNotContainAnyElementsOf(wrapped);
    }
}
