package org.nni4j.export;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nni4j.compression.Inspection;
import org.nni4j.compression.ModelExporter;
import org.nni4j.compression.Quantizer;
import org.nni4j.export.verification.Verification;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphTracer;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes ONNX models of any algorithm, for {@code Quantizer.exportModel} with an ONNX path among
 * others. What was found is logged.
 */
public final class OnnxModelExporter implements ModelExporter {

    private static final Logger LOGGER = LoggerFactory.getLogger(OnnxModelExporter.class);

    private static final int SAMPLES = 16;

    /**
     * For drawn inputs. What a network makes of noise has often no clear first class, and at a few
     * bits the two largest outputs are as often as not the same but for a rounding: then top-1
     * tells nothing of the model, and two of sixteen would already be too many. Integers and
     * outputs are held to the same limits as with real data.
     */
    private static final Verification.Limits WITHOUT_TOP_1 =
            new Verification.Limits(
                    Verification.Limits.STANDARD.differing(),
                    Verification.Limits.STANDARD.outputSteps(),
                    0);

    private static final String SAMPLES_INSTEAD =
            "give samples in place of the shapes: exportModel(modelPath, calibrationPath, onnxPath,"
                    + " samples); or OnnxExporter.builder(), which takes samples and limits";

    /** For the service loader. */
    public OnnxModelExporter() {}

    /**
     * Writes a quantized model of any algorithm, compares it with what it does in DJL, and measures
     * it: one of algorithm {@code dynamic} by {@link DynamicExporter}, all others by {@link
     * OnnxExporter#exportQuantized}.
     *
     * @param exporter with the settings
     * @param quantizer compressed, and trained or calibrated
     * @param samples inputs to compare with, batch first; left as they are
     * @param file the target; replaced if it exists
     * @return what was written and found; print it
     * @throws OnnxExportException if the network cannot be exported; the message lists every reason
     * @throws UnverifiedModelException if the model does not compute what was trained, unless the
     *     exporter allows that; then nothing is written
     * @throws IllegalStateException if {@link Quantizer#compress()} was not called
     * @throws IOException if the file cannot be written
     */
    public static ModelReport export(
            OnnxExporter exporter, Quantizer quantizer, NDList samples, Path file)
            throws IOException {
        return quantizer.plan().algorithm().equals(DynamicExporter.ALGORITHM)
                ? DynamicExporter.export(exporter, quantizer, samples, file)
                : exporter.exportQuantized(quantizer, samples, file);
    }

    @Override
    public void export(Quantizer quantizer, Path file, NDList samples) throws IOException {
        export(quantizer, file, samples, Verification.Limits.STANDARD);
    }

    @Override
    public void export(Quantizer quantizer, Path file, Shape... inputShapes) throws IOException {
        Inspection inspection = quantizer.inspect();
        try (NDManager scope = quantizer.model().getNDManager().newSubManager()) {
            checkTaken(inspection, scope, inputShapes);
            export(quantizer, file, drawn(scope, SAMPLES, inputShapes), WITHOUT_TOP_1);
        } catch (UnverifiedModelException e) {
            throw new UnverifiedModelException(
                    e.report(), "inputs were drawn; to compare with real ones, " + SAMPLES_INSTEAD);
        }
    }

    private static void export(
            Quantizer quantizer, Path file, NDList samples, Verification.Limits limits)
            throws IOException {
        OnnxExporter exporter =
                OnnxExporter.builder().optTimed(0).optThreads(1).optLimits(limits).build();
        LOGGER.info("{}", export(exporter, quantizer, samples, file));
    }

    /** Normal numbers, the same ones every time. */
    private static NDList drawn(NDManager scope, int count, Shape... inputShapes) {
        if (inputShapes.length == 0) {
            throw new IllegalArgumentException(
                    "no input shapes; expected one for each of the network's inputs, batch first");
        }
        Random random = new Random(1);
        NDList samples = new NDList();
        for (Shape shape : inputShapes) {
            if (shape.dimension() == 0 || shape.size() < 1) {
                throw new IllegalArgumentException(
                        "input shape " + shape + "; expected a batch axis first, none empty");
            }
            long[] sizes = shape.getShape().clone(); // the shape hands out its own
            sizes[0] = count;
            Shape drawn = new Shape(sizes);
            float[] elements = new float[Math.toIntExact(drawn.size())];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = (float) random.nextGaussian();
            }
            samples.add(scope.create(elements, drawn).toType(DataType.FLOAT32, false));
        }
        return samples;
    }

    /**
     * A network that reads ids fails somewhere inside, with a message that does not help, or takes
     * the numbers for ids: the model's inputs would then be floats, which they are not.
     */
    private static void checkTaken(Inspection inspection, NDManager manager, Shape... inputShapes) {
        try (NDManager scope = manager.newSubManager()) {
            NDList few = drawn(scope, 2, inputShapes);
            Graph graph = inspection.onFloatNetwork(block -> GraphTracer.trace(block, few));
            graph.nodes().stream()
                    .filter(OnnxModelExporter::takesFloatsForIndices)
                    .findFirst()
                    .ifPresent(
                            node -> {
                                throw notTaken(
                                        node.name() + " reads them as indices", null, inputShapes);
                            });
        } catch (IllegalStateException e) {
            throw notTaken(String.valueOf(e.getMessage()), e, inputShapes);
        }
    }

    private static boolean takesFloatsForIndices(Node node) {
        return IntStream.range(0, node.inputs().size())
                .filter(
                        i ->
                                node.roles().get(i).startsWith("index")
                                        || (i == 0 && node.op().equals("Embedding")))
                .mapToObj(node.inputs()::get)
                .anyMatch(
                        value ->
                                value.kind() != Value.Kind.CONSTANT
                                        && value.dataType().isFloating());
    }

    private static IllegalArgumentException notTaken(
            String reason, @Nullable Exception cause, Shape... inputShapes) {
        return new IllegalArgumentException(
                "input shapes "
                        + Arrays.toString(inputShapes)
                        + ": the network does not take float32 inputs of these ("
                        + reason
                        + "); if it reads ids or other integers, "
                        + SAMPLES_INSTEAD,
                cause);
    }
}
