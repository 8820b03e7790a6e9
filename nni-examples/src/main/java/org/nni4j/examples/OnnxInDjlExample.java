package org.nni4j.examples;

import ai.djl.ModelException;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Takes an exported model back into DJL, whose own ONNX Runtime engine executes the integers: the
 * model is loaded and asked about ten drawn digits.
 *
 * <p>Its only argument is the file that {@code MnistExample --onnx FILE} wrote.
 */
public final class OnnxInDjlExample {

    private static final int PICTURES = 10;

    private OnnxInDjlExample() {}

    /**
     * Runs the example.
     *
     * @param args the ONNX file
     * @throws ModelException if it is no model
     * @throws IOException if it cannot be read
     * @throws TranslateException if it does not take such pictures
     */
    public static void main(String[] args) throws ModelException, IOException, TranslateException {
        System.setProperty("OPT_OUT_TRACKING", "true");
        PrintStream out = System.out;
        if (args.length != 1) {
            out.println("expected one argument: the file that MnistExample --onnx FILE wrote");
            return;
        }
        ImageSet digits = SyntheticDigits.draw(PICTURES, 7);
        int[] answers = predict(Path.of(args[0]), digits);
        for (int i = 0; i < answers.length; i++) {
            out.println("drawn: " + digits.label(i) + ", predicted: " + answers[i]);
        }
    }

    /** Returns the class that the model gives each picture. */
    private static int[] predict(Path model, ImageSet pictures)
            throws ModelException, IOException, TranslateException {
        float[] scores = scores(model, pictures);
        int classes = scores.length / pictures.size();
        int[] answers = new int[pictures.size()];
        for (int i = 0; i < answers.length; i++) {
            answers[i] = largest(Arrays.copyOfRange(scores, i * classes, (i + 1) * classes));
        }
        return answers;
    }

    /** Returns what the model gives each class of each picture. */
    static float[] scores(Path model, ImageSet pictures)
            throws ModelException, IOException, TranslateException {
        Criteria<NDList, NDList> criteria =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelPath(model)
                        .optEngine("OnnxRuntime")
                        .optTranslator(new NoopTranslator())
                        .build();
        try (ZooModel<NDList, NDList> loaded = criteria.loadModel();
                Predictor<NDList, NDList> predictor = loaded.newPredictor()) {
            float[] pixels = pixels(pictures);
            Shape shape =
                    new Shape(
                            pictures.size(),
                            pictures.channels(),
                            pictures.height(),
                            pictures.width());
            NDArray x = loaded.getNDManager().create(pixels, shape);
            return predictor.predict(new NDList(x)).singletonOrThrow().toFloatArray();
        }
    }

    /** Returns the pictures as the network takes them. */
    static float[] pixels(ImageSet pictures) {
        float[] pixels = new float[pictures.size() * pictures.stride()];
        float[][] table = Normalization.MNIST.table();
        for (int i = 0; i < pictures.size(); i++) {
            Augmentation.NONE.write(
                    pictures,
                    i,
                    table,
                    new java.util.SplittableRandom(0),
                    pixels,
                    i * pictures.stride());
        }
        return pixels;
    }

    private static int largest(float[] scores) {
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            best = scores[i] > scores[best] ? i : best;
        }
        return best;
    }
}
