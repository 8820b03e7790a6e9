package org.nni4j.graph;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.basicmodelzoo.cv.classification.MobileNetV2;
import ai.djl.basicmodelzoo.cv.classification.ResNetV1;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv1d;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.convolutional.Conv3d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nni4j.fixtures.FunctionBlock;

class BatchNormPatternTest {

    private NDManager manager;

    @BeforeEach
    void openManager() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void closeManager() {
        manager.close();
    }

    private static Block conv() {
        return Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(4).build();
    }

    private static Block batchNorm() {
        return BatchNorm.builder().build();
    }

    private BatchNormPattern find(Block block, Shape shape) {
        block.initialize(manager, DataType.FLOAT32, shape);
        return BatchNormPattern.findAll(GraphTracer.trace(block, shape));
    }

    private BatchNormPattern find(Block block) {
        return find(block, new Shape(1, 3, 8, 8));
    }

    private String reason(Block block) {
        BatchNormPattern pattern = find(block);
        assertThat(pattern.folds()).isEmpty();
        return pattern.refusals().get(0).reason();
    }

    @Test
    void findAll_conv2d_folds() {
        BatchNormPattern pattern = find(new SequentialBlock().add(conv()).add(batchNorm()));

        assertThat(pattern.refusals()).isEmpty();
        BatchNormFold fold = pattern.folds().get(0);
        assertThat(fold.layer()).isEqualTo("01Conv2d");
        assertThat(fold.batchNorm()).isEqualTo("02BatchNorm");
        assertThat(fold.activation()).isEmpty();
    }

    @Test
    void findAll_conv1dAndConv3d_fold() {
        Block conv1d = Conv1d.builder().setKernelShape(new Shape(3)).setFilters(4).build();
        Block conv3d = Conv3d.builder().setKernelShape(new Shape(2, 2, 2)).setFilters(4).build();

        assertThat(
                        find(new SequentialBlock().add(conv1d).add(batchNorm()), new Shape(1, 3, 8))
                                .folds())
                .hasSize(1);
        assertThat(
                        find(
                                        new SequentialBlock().add(conv3d).add(batchNorm()),
                                        new Shape(1, 3, 4, 4, 4))
                                .folds())
                .hasSize(1);
    }

    @Test
    void findAll_linear_folds() {
        Block net =
                new SequentialBlock().add(Linear.builder().setUnits(4).build()).add(batchNorm());

        assertThat(find(net, new Shape(2, 3)).folds())
                .extracting(BatchNormFold::layer)
                .containsExactly("01Linear");
    }

    @Test
    void findAll_linearOfSequences_foldsOverTheLastAxisOnly() {
        Block last = BatchNorm.builder().optAxis(2).build();
        Block good = new SequentialBlock().add(Linear.builder().setUnits(4).build()).add(last);
        Block bad =
                new SequentialBlock().add(Linear.builder().setUnits(4).build()).add(batchNorm());

        assertThat(find(good, new Shape(2, 5, 3)).folds()).hasSize(1);
        assertThat(find(bad, new Shape(2, 5, 3)).refusals())
                .extracting(FoldRefusal::reason)
                .containsExactly("its axis 1 is not the channel axis 2 of 01Linear.Linear1");
    }

    @Test
    void findAll_acrossContainers_folds() {
        Block net =
                new SequentialBlock()
                        .add(new SequentialBlock().add(new SequentialBlock().add(conv())))
                        .add(new SequentialBlock().add(batchNorm()).add(Activation.reluBlock()));

        BatchNormFold fold = find(net).folds().get(0);
        assertThat(fold.layer()).isEqualTo("01SequentialBlock.01SequentialBlock.01Conv2d");
        assertThat(fold.batchNorm()).isEqualTo("02SequentialBlock.01BatchNorm");
        assertThat(fold.activation()).contains(BatchNormFold.Activation.RELU);
    }

    @Test
    void findAll_relu6_isRecognized() {
        Block net = new SequentialBlock().add(conv()).add(batchNorm()).add(Activation.relu6Block());

        BatchNormFold fold = find(net).folds().get(0);
        assertThat(fold.activation()).contains(BatchNormFold.Activation.RELU6);
        assertThat(fold.output().name()).isEqualTo("03LambdaBlock.Minimum1");
    }

    @Test
    void findAll_reluWithTwoReadersOfTheBatchNorm_isNotPartOfTheFold() {
        ParallelBlock both =
                new ParallelBlock(l -> new NDList(l.get(0).head().add(l.get(1).head())));
        both.add(Activation.reluBlock()).add(Blocks.identityBlock());

        BatchNormFold fold =
                find(new SequentialBlock().add(conv()).add(batchNorm()).add(both)).folds().get(0);
        assertThat(fold.activation()).isEmpty();
    }

    @Test
    void findAll_twoReadersOfTheConvolution_refuses() {
        ParallelBlock both =
                new ParallelBlock(l -> new NDList(l.get(0).head().add(l.get(1).head())));
        both.add(batchNorm()).add(Blocks.identityBlock());

        assertThat(reason(new SequentialBlock().add(conv()).add(both)))
                .isEqualTo("the output of 01Conv2d.Conv1 is also read by 02ParallelBlock.Add1");
    }

    @Test
    void findAll_convolutionThatIsAlsoAnOutput_refuses() {
        ParallelBlock both = new ParallelBlock(l -> new NDList(l.get(0).head(), l.get(1).head()));
        both.add(batchNorm()).add(Blocks.identityBlock());

        assertThat(reason(new SequentialBlock().add(conv()).add(both)))
                .isEqualTo("the output of 01Conv2d.Conv1 is also an output of the network");
    }

    @Test
    void findAll_convolutionReadIntoJava_refuses() {
        Block look =
                new LambdaBlock(
                        in -> {
                            in.head().toFloatArray();
                            return in;
                        });

        assertThat(reason(new SequentialBlock().add(conv()).add(look).add(batchNorm())))
                .isEqualTo("the output of 01Conv2d.Conv1 is also read by toFloatArray");
    }

    @Test
    void findAll_layerUsedTwice_refuses() {
        Block conv = Conv2d.builder().setKernelShape(new Shape(1, 1)).setFilters(3).build();

        assertThat(reason(new SequentialBlock().add(conv).add(batchNorm()).add(conv)))
                .isEqualTo("the weight of 01Conv2d.Conv1 is used in 2 runs of the layer");
    }

    @Test
    void findAll_batchNormUsedTwice_refuses() {
        Block shared = batchNorm();
        Block one = Conv2d.builder().setKernelShape(new Shape(1, 1)).setFilters(3).build();
        Block two = Conv2d.builder().setKernelShape(new Shape(1, 1)).setFilters(3).build();

        BatchNormPattern pattern =
                find(new SequentialBlock().add(one).add(shared).add(two).add(shared));

        assertThat(pattern.folds()).isEmpty();
        assertThat(pattern.refusals())
                .extracting(FoldRefusal::reason)
                .containsExactly(
                        "the statistics of 02BatchNorm.BatchNorm1 is used in 2 runs of the layer",
                        "the statistics of 02BatchNorm.BatchNorm2 is used in 2 runs of the layer");
    }

    @Test
    void findAll_otherAxis_refuses() {
        Block net = new SequentialBlock().add(conv()).add(BatchNorm.builder().optAxis(2).build());

        assertThat(reason(net)).isEqualTo("its axis 2 is not the channel axis 1 of 01Conv2d.Conv1");
    }

    @Test
    void findAll_batchNormOfTheInput_refuses() {
        assertThat(reason(new SequentialBlock().add(batchNorm())))
                .isEqualTo("it reads input0, not a convolution or linear layer");
    }

    @Test
    void findAll_batchNormAfterReLU_refuses() {
        assertThat(
                        reason(
                                new SequentialBlock()
                                        .add(conv())
                                        .add(Activation.reluBlock())
                                        .add(batchNorm())))
                .isEqualTo("it follows 02LambdaBlock.Relu1, not a convolution or linear layer");
    }

    @Test
    void findAll_withoutRunningStatistics_refuses() {
        Block functional =
                new FunctionBlock(
                        in -> {
                            NDManager m = in.getManager();
                            var zeros = m.zeros(new Shape(4));
                            var ones = m.ones(new Shape(4));
                            return BatchNorm.batchNorm(in.head(), zeros, ones, ones, zeros);
                        });

        assertThat(reason(new SequentialBlock().add(conv()).add(functional)))
                .isEqualTo("it has no running statistics");
    }

    @Test
    void findAll_batchNormWithoutScaleAndCentre_folds() {
        Block plain = BatchNorm.builder().optScale(false).optCenter(false).build();

        assertThat(find(new SequentialBlock().add(conv()).add(plain)).folds()).hasSize(1);
    }

    @Test
    void findAll_trainingTrace_findsTheSame() {
        Block net = new SequentialBlock().add(conv()).add(batchNorm()).add(Activation.reluBlock());
        Shape shape = new Shape(2, 3, 8, 8);
        net.initialize(manager, DataType.FLOAT32, shape);
        Graph graph = GraphTracer.builder().optTraining(true).build().traceBlock(net, shape);

        assertThat(BatchNormPattern.findAll(graph).folds())
                .extracting(BatchNormFold::activation)
                .containsExactly(Optional.of(BatchNormFold.Activation.RELU));
    }

    @Test
    void findAll_resNet50_foldsEveryBatchNorm() {
        Shape shape = new Shape(1, 3, 32, 32);
        Block net =
                ResNetV1.builder()
                        .setImageShape(new Shape(3, 32, 32))
                        .setNumLayers(50)
                        .setOutSize(10)
                        .build();

        BatchNormPattern pattern = find(net, shape);

        assertThat(pattern.refusals()).isEmpty();
        // 16 units of three convolutions with BatchNorm, and 4 projections; the stem of small
        // images has none.
        assertThat(pattern.folds()).hasSize(16 * 3 + 4);
    }

    @Test
    void findAll_mobileNetV2_foldsEveryBatchNorm() {
        BatchNormPattern pattern =
                find(MobileNetV2.builder().setOutSize(10).build(), new Shape(1, 3, 32, 32));

        assertThat(pattern.refusals()).isEmpty();
        assertThat(pattern.folds()).isNotEmpty();
    }
}
