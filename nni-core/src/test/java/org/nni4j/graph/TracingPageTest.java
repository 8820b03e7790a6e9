package org.nni4j.graph;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The listing that docs/tracing.md explains is the one that is printed. */
class TracingPageTest {

    @Test
    void listing_isTheOneOnThePage() throws IOException {
        ParallelBlock residual =
                new ParallelBlock(
                        l -> {
                            NDArray sum = l.get(0).head().add(l.get(1).head());
                            return new NDList(sum.getNDArrayInternal().relu());
                        });
        residual.add(Linear.builder().setUnits(4).build()).add(Blocks.identityBlock());
        Block halve = LambdaBlock.singleton(x -> x.mul(x.getManager().create(0.5f)));
        Block network = new SequentialBlock().add(halve).add(residual);
        String page = Files.readString(Path.of("..", "docs", "tracing.md"));

        try (NDManager manager = NDManager.newBaseManager()) {
            network.initialize(manager, DataType.FLOAT32, new Shape(1, 4));
            String listing = GraphTracer.trace(network, new Shape(1, 4)).toString();

            assertThat(page).contains("\n```\n" + listing + "\n```\n");
        }
    }
}
