package org.nni4j.examples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.nni4j.compression.Quantizer;
import org.nni4j.export.ModelReport;
import org.nni4j.export.OnnxExporter;
import org.nni4j.export.OnnxModelExporter;
import org.nni4j.export.runtime.OnnxSession;
import org.nni4j.export.runtime.RuntimeTensor;
import org.nni4j.export.runtime.SessionSettings;

/** The last act: the quantized network becomes an ONNX model, is compared, timed and tested. */
final class OnnxStage {

    /** Enough to compare with; more would only take longer. */
    private static final int SAMPLES = 64;

    private static final double SECONDS_PER_BATCH_SIZE = 1.5;

    private final Pictures pictures;
    private final int threads;

    OnnxStage(Pictures pictures, int threads) {
        this.pictures = pictures;
        this.threads = threads;
    }

    /**
     * Exports.
     *
     * @param quantizer trained or calibrated
     * @param file where the model goes; empty to keep none
     */
    OnnxResult run(Quantizer quantizer, Optional<Path> file) throws IOException {
        Path target =
                file.isPresent() ? file.get() : Files.createTempFile("nni4j-example", ".onnx");
        try (NDManager scope = quantizer.model().getNDManager().newSubManager()) {
            OnnxExporter exporter =
                    OnnxExporter.builder()
                            .optThreads(threads)
                            .optTimed(SECONDS_PER_BATCH_SIZE, 1, 32)
                            .build();
            ModelReport report =
                    OnnxModelExporter.export(exporter, quantizer, samples(scope), target);
            return new OnnxResult(report, accuracy(target, scope));
        } finally {
            if (file.isEmpty()) {
                Files.deleteIfExists(target);
            }
        }
    }

    private NDList samples(NDManager scope) {
        Batches few =
                new Batches(
                        pictures.test().first(SAMPLES),
                        pictures.normalization(),
                        SAMPLES,
                        Augmentation.NONE);
        Batch batch = few.inOrder(scope).iterator().next();
        return batch.getData();
    }

    private double accuracy(Path model, NDManager scope) {
        int correct = 0;
        try (OnnxSession session = OnnxSession.open(model, SessionSettings.standard(threads))) {
            for (Batch batch : pictures.testBatches().inOrder(scope)) {
                RuntimeTensor x = RuntimeTensor.of(batch.getData().singletonOrThrow());
                RuntimeTensor scores = session.run(List.of(x)).values().iterator().next();
                try (NDArray array = scores.toArray(batch.getManager())) {
                    long[] answers = array.argMax(1).toLongArray();
                    long[] labels = batch.getLabels().singletonOrThrow().toLongArray();
                    for (int i = 0; i < labels.length; i++) {
                        correct += answers[i] == labels[i] ? 1 : 0;
                    }
                }
                batch.close();
            }
        }
        return 100.0 * correct / pictures.test().size();
    }
}
