package org.nni4j.examples;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.initializer.XavierInitializer;
import java.util.List;

/** The networks of the examples, in plain DJL blocks, not initialized. */
public final class Networks {
    /** He et al., "Delving Deep into Rectifiers", ICCV 2015: deviation sqrt(2 / fan-in). */
    private static final XavierInitializer HE =
            new XavierInitializer(
                    XavierInitializer.RandomType.GAUSSIAN, XavierInitializer.FactorType.IN, 2);

    private static final int[] RESNET_CHANNELS = {16, 32, 64};
    private static final int RESNET_BLOCKS_PER_STAGE = 3;
    private static final int[] RESNET18_CHANNELS = {64, 128, 256, 512};

    private Networks() {}

    /**
     * Builds LeNet for 28×28 grey pictures: 5×5 convolutions with 20 and 50 channels, each followed
     * by ReLU and 2×2 max pooling, and linear layers of 500 and {@code classes} units.
     *
     * <p>After LeCun et al., "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE
     * 1998, in the widths that Caffe made usual, with ReLU for the sigmoid.
     *
     * @param classes units of the last layer
     * @param normalized whether each hidden layer is followed by batch normalisation
     * @return for inputs {@code (batch, 1, 28, 28)}
     */
    public static Block leNet(int classes, boolean normalized) {
        SequentialBlock network = new SequentialBlock();
        for (int channels : new int[] {20, 50}) {
            Conv2d.Builder layer = Conv2d.builder().setKernelShape(new Shape(5, 5));
            network.add(layer.setFilters(channels).optBias(!normalized).build());
            if (normalized) {
                network.add(batchNorm());
            }
            network.add(relu()).add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)));
        }
        network.add(Blocks.batchFlattenBlock());
        network.add(Linear.builder().setUnits(500).optBias(!normalized).build());
        if (normalized) {
            network.add(batchNorm());
        }
        network.add(relu()).add(Linear.builder().setUnits(classes).build());
        network.setInitializer(HE, Parameter.Type.WEIGHT);
        return network;
    }

    /**
     * Builds LeNet in the form that binary networks need: convolution, pooling, batch
     * normalisation, hard tanh. The sign of what follows a ReLU would always be positive.
     *
     * <p>Courbariaux et al., "Binarized Neural Networks", 2016, <a
     * href="https://arxiv.org/abs/1602.02830">arXiv:1602.02830</a>, section 2 and algorithm 1; the
     * scores are normalised too.
     */
    static Block leNetTanh(int classes) {
        SequentialBlock network = new SequentialBlock();
        for (int channels : new int[] {20, 50}) {
            Conv2d.Builder layer = Conv2d.builder().setKernelShape(new Shape(5, 5));
            network.add(layer.setFilters(channels).optBias(false).build());
            network.add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)));
            network.add(batchNorm()).add(hardTanh());
        }
        network.add(Blocks.batchFlattenBlock());
        network.add(Linear.builder().setUnits(500).optBias(false).build());
        network.add(batchNorm()).add(hardTanh());
        network.add(Linear.builder().setUnits(classes).optBias(false).build());
        network.add(batchNorm());
        network.setInitializer(HE, Parameter.Type.WEIGHT);
        return network;
    }

    /**
     * Builds ResNet-20 for 32×32 colour pictures.
     *
     * <p>He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2 with n =
     * 3, <a href="https://arxiv.org/abs/1512.03385">arXiv:1512.03385</a>: a 3×3 convolution, three
     * stages of three basic blocks with 16, 32 and 64 channels, global average pooling, one linear
     * layer. Unlike the paper, where the shape changes the shortcut is a 1×1 convolution with batch
     * normalisation (the paper's option B) instead of zero padding (option A): it adds 2,752
     * parameters to 269,722 and is one more layer to quantize.
     *
     * @param classes units of the last layer
     * @return for inputs {@code (batch, 3, 32, 32)}
     */
    public static Block resNet20(int classes) {
        SequentialBlock network = new SequentialBlock();
        network.add(convolution(3, RESNET_CHANNELS[0], 1)).add(batchNorm()).add(relu());
        int channels = RESNET_CHANNELS[0];
        for (int next : RESNET_CHANNELS) {
            for (int i = 0; i < RESNET_BLOCKS_PER_STAGE; i++) {
                network.add(residual(channels, next)).add(relu());
                channels = next;
            }
        }
        network.add(Pool.globalAvgPool2dBlock());
        network.add(Linear.builder().setUnits(classes).build());
        network.setInitializer(HE, Parameter.Type.WEIGHT);
        return network;
    }

    /**
     * Builds ResNet-18 for 224×224 colour pictures.
     *
     * <p>He et al., as above, table 1.
     */
    static Block resNet18(int classes) {
        SequentialBlock network = new SequentialBlock();
        network.add(convolution(7, RESNET18_CHANNELS[0], 2)).add(batchNorm()).add(relu());
        network.add(Pool.maxPool2dBlock(new Shape(3, 3), new Shape(2, 2), new Shape(1, 1)));
        int channels = RESNET18_CHANNELS[0];
        for (int next : RESNET18_CHANNELS) {
            for (int i = 0; i < 2; i++) {
                network.add(residual(channels, next)).add(relu());
                channels = next;
            }
        }
        network.add(Pool.globalAvgPool2dBlock());
        network.add(Linear.builder().setUnits(classes).build());
        network.setInitializer(HE, Parameter.Type.WEIGHT);
        return network;
    }

    /** Builds a chain of 3×3 convolutions, each with ReLU: nothing but arithmetic. */
    static Block chain(int length, int channels) {
        SequentialBlock network = new SequentialBlock();
        for (int i = 0; i < length; i++) {
            network.add(convolution(3, channels, 1)).add(relu());
        }
        network.setInitializer(HE, Parameter.Type.WEIGHT);
        return network;
    }

    private static Block residual(int channels, int next) {
        int stride = channels == next ? 1 : 2;
        SequentialBlock main = new SequentialBlock();
        main.add(convolution(3, next, stride)).add(batchNorm()).add(relu());
        main.add(convolution(3, next, 1)).add(batchNorm());
        Block shortcut =
                channels == next
                        ? Blocks.identityBlock()
                        : new SequentialBlock().add(convolution(1, next, 2)).add(batchNorm());
        return new ParallelBlock(
                branches ->
                        new NDList(
                                branches.get(0)
                                        .singletonOrThrow()
                                        .add(branches.get(1).singletonOrThrow())),
                List.of(main, shortcut));
    }

    /**
     * Builds a small VGG for 32×32 colour pictures: three pairs of 3×3 convolutions with 64, 128
     * and 256 channels, each pair followed by 2×2 max pooling, then one linear layer.
     *
     * <p>After Simonyan and Zisserman, "Very Deep Convolutional Networks", ICLR 2015, <a
     * href="https://arxiv.org/abs/1409.1556">arXiv:1409.1556</a>, with batch normalisation. What
     * papers on low-bit networks call VGG-small, for instance LQ-Nets (Zhang et al., ECCV 2018),
     * has the same layers at twice the width: 128, 256 and 512 channels.
     */
    static Block vggSmall(int classes) {
        SequentialBlock network = new SequentialBlock();
        for (int channels : new int[] {64, 128, 256}) {
            for (int i = 0; i < 2; i++) {
                network.add(convolution(3, channels, 1)).add(batchNorm()).add(relu());
            }
            network.add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)));
        }
        network.add(Blocks.batchFlattenBlock());
        network.add(Linear.builder().setUnits(classes).build());
        network.setInitializer(HE, Parameter.Type.WEIGHT);
        return network;
    }

    private static Block convolution(int kernel, int channels, int stride) {
        return Conv2d.builder()
                .setKernelShape(new Shape(kernel, kernel))
                .setFilters(channels)
                .optStride(new Shape(stride, stride))
                .optPadding(new Shape(kernel / 2, kernel / 2))
                .optBias(false)
                .build();
    }

    private static Block batchNorm() {
        return BatchNorm.builder().build();
    }

    private static Block hardTanh() {
        return LambdaBlock.singleton(x -> x.clip(-1, 1), "hardTanh");
    }

    private static Block relu() {
        return Activation.reluBlock();
    }
}
