package org.nni4j.export;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.nni4j.compression.ModelExporter;
import org.nni4j.compression.Quantizer;

/**
 * Writes ONNX models for {@link Quantizer#exportModel(Path, Path, Path, Shape...)}, which has no
 * data to compare with: inputs are drawn, the same ones every time.
 */
public final class OnnxModelExporter implements ModelExporter {

    private static final int SAMPLES = 16;

    /** For the service loader. */
    public OnnxModelExporter() {}

    @Override
    public void export(Quantizer quantizer, Path file, Shape... inputShapes) throws IOException {
        Random random = new Random(1);
        try (NDManager scope = quantizer.model().getNDManager().newSubManager()) {
            NDList samples = new NDList();
            for (Shape shape : inputShapes) {
                if (shape.dimension() == 0 || shape.size() < 1) {
                    throw new IllegalArgumentException(
                            "input shape " + shape + "; expected a batch axis first, none empty");
                }
                long[] sizes = shape.getShape().clone(); // the shape hands out its own
                sizes[0] = SAMPLES;
                Shape drawn = new Shape(sizes);
                float[] elements = new float[Math.toIntExact(drawn.size())];
                for (int i = 0; i < elements.length; i++) {
                    elements[i] = (float) random.nextGaussian();
                }
                samples.add(scope.create(elements, drawn).toType(DataType.FLOAT32, false));
            }
            OnnxExporter.builder()
                    .optTimed(0)
                    .optThreads(1)
                    .build()
                    .exportQuantized(quantizer, samples, file);
        }
    }
}
