package org.nni4j.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.transformer.TransformerEncoderBlock;
import org.nni4j.examples.Networks;

/** A network with the shape of what it learns from; the data are random, as time asks no more. */
enum Task {
    LENET("LeNet", false),
    RESNET20("ResNet-20", true),
    TRANSFORMER("Transformer encoder", false);

    private static final int CLASSES = 10;
    private static final int LAYERS = 4;
    private static final int WIDTH = 256;

    /**
     * Vaswani et al., "Attention Is All You Need", 2017: heads of 64, inner layers 4 times as wide.
     */
    private static final int HEADS = WIDTH / 64;

    private static final float DROPOUT = 0.1f;

    private final String title;
    private final boolean normalized;

    Task(String title, boolean normalized) {
        this.title = title;
        this.normalized = normalized;
    }

    /** Returns the name for people. */
    String title() {
        return title;
    }

    /** Tells whether there is a BatchNorm to fold. */
    boolean normalized() {
        return normalized;
    }

    /** Returns how many steps are measured for each one asked for: short ones vary more. */
    int repetitions() {
        return this == LENET ? 10 : 1;
    }

    /** Builds the network, not initialized. */
    Block network() {
        return switch (this) {
            case LENET -> Networks.leNet(CLASSES, false);
            case RESNET20 -> Networks.resNet20(CLASSES);
            case TRANSFORMER -> transformer();
        };
    }

    /** Returns the shape of a batch. */
    Shape input() {
        return switch (this) {
            case LENET -> new Shape(64, 1, 28, 28);
            case RESNET20 -> new Shape(64, 3, 32, 32);
            case TRANSFORMER -> new Shape(16, 128, WIDTH);
        };
    }

    /** Draws a batch, owned by the manager. */
    NDArray drawInput(NDManager manager) {
        return manager.randomNormal(input());
    }

    /** Draws the batch's labels, owned by the manager. */
    NDArray drawLabels(NDManager manager) {
        return manager.randomInteger(0, CLASSES, new Shape(input().get(0)), DataType.INT64)
                .toType(DataType.FLOAT32, false);
    }

    /** An encoder of embedded tokens, with a linear layer on their mean. */
    private static Block transformer() {
        SequentialBlock network = new SequentialBlock();
        for (int i = 0; i < LAYERS; i++) {
            network.add(
                    new TransformerEncoderBlock(
                            WIDTH, HEADS, 4 * WIDTH, DROPOUT, Activation::gelu));
        }
        network.add(LambdaBlock.singleton(x -> x.mean(new int[] {1}), "mean"));
        return network.add(Linear.builder().setUnits(CLASSES).build());
    }
}
