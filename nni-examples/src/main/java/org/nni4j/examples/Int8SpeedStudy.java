package org.nni4j.examples;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.nni4j.algorithms.observer.ObserverQuantizer;
import org.nni4j.config.ConfigList;
import org.nni4j.export.ExportReport;
import org.nni4j.export.OnnxExporter;

/**
 * How much faster are integers in ONNX Runtime, and what do fewer bits change? Three networks with
 * drawn weights, calibrated on drawn inputs: speed does not depend on what they know.
 *
 * <p>Arguments: {@code chain}, {@code resnet20}, {@code resnet18} in eight bits; {@code w4} and
 * {@code w2}, ResNet-20 with weights of four and two bits that are stored in eight, {@code int4},
 * with weights of four bits that are stored in four; or several. Without any, all.
 */
public final class Int8SpeedStudy {

    /** A chain ends in a ReLU, whose result is to be integers as well. */
    private static final String LAST_OF_CHAIN =
            """
            , {"quant_types": ["output"], "quant_bits": 8, "op_names": ["16LambdaBlock"]}
            """;

    private static final double SECONDS = 6;

    private Int8SpeedStudy() {}

    /**
     * Runs the study.
     *
     * @param args which networks
     * @throws IOException if the temporary file cannot be written
     * @throws IllegalArgumentException if a network is unknown
     */
    public static void main(String[] args) throws IOException {
        System.setProperty("OPT_OUT_TRACKING", "true");
        List<String> names =
                args.length == 0
                        ? List.of("chain", "resnet20", "resnet18", "w4", "w2", "int4")
                        : List.of(args);
        Shape small = new Shape(2, 3, 32, 32);
        for (String name : names) {
            switch (name) {
                case "chain" -> run(name, 8, Networks.chain(8, 64), new Shape(2, 64, 32, 32), 1, 8);
                case "resnet20" -> run(name, 8, Networks.resNet20(10), small, 1, 32);
                case "resnet18" ->
                        run(name, 8, Networks.resNet18(1000), new Shape(2, 3, 224, 224), 1);
                case "w4", "int4" -> run(name, 4, Networks.resNet20(10), small, 1, 32);
                case "w2" -> run(name, 2, Networks.resNet20(10), small, 1, 32);
                default ->
                        throw new IllegalArgumentException(
                                name + "; expected chain, resnet20, resnet18, w4, w2 or int4");
            }
        }
    }

    private static void run(String name, int weightBits, Block network, Shape shape, int... batches)
            throws IOException {
        PrintStream out = System.out;
        Engine.getEngine("PyTorch").setRandomSeed(1);
        Path file = Files.createTempFile("nni4j-study", ".onnx");
        try (Model model = Model.newInstance(name, "PyTorch");
                NDManager scope = model.getNDManager().newSubManager()) {
            model.setBlock(network);
            network.initialize(model.getNDManager(), DataType.FLOAT32, shape);
            NDArray samples = scope.randomNormal(shape);
            String entries =
                    String.format(
                            """
                            {"quant_types": ["weight", "input"], "op_types": ["Conv2d", "Linear"],
                             "quant_bits": {"weight": %d, "input": 8}},
                            {"quant_types": ["input"], "quant_bits": 8,
                             "op_types": ["Add", "GlobalAvgPool"]}
                            """,
                            weightBits);
            String config = "[" + entries + (name.equals("chain") ? LAST_OF_CHAIN : "") + "]";
            try (ObserverQuantizer quantizer =
                    new ObserverQuantizer(
                            model, ConfigList.fromJson(config), new NDList(samples))) {
                quantizer.observe();
                network.forward(new ParameterStore(scope, false), new NDList(samples), false);
                quantizer.compress();
                ExportReport report =
                        OnnxExporter.builder()
                                .optTimed(SECONDS, batches)
                                // a network that knows nothing has no clear first class
                                .optUnverified(true)
                                .optFourBitWeights(name.equals("int4"))
                                .build()
                                .exportQuantized(quantizer, new NDList(samples), file);
                out.println(name);
                out.println(report);
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }
}
