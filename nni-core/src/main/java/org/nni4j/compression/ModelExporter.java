package org.nni4j.compression;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ServiceLoader;

/**
 * Writes a quantized model for a runtime that executes integers. Found by {@link ServiceLoader};
 * the artifact {@code org.nni4j:nni-export} holds the one for ONNX.
 */
public interface ModelExporter {

    /**
     * Writes a model, and makes sure that it computes what was trained, on inputs that are drawn.
     *
     * @param quantizer compressed, and trained or calibrated; left as it is
     * @param file the target; replaced if it exists
     * @param inputShapes of the model's inputs, batch first; they are float32
     * @throws IllegalArgumentException if the model does not take such inputs
     * @throws RuntimeException if the model cannot be exported, or does not compute what was
     *     trained; then the file is as it was
     * @throws IOException if the file cannot be written; then it is as it was
     */
    void export(Quantizer quantizer, Path file, Shape... inputShapes) throws IOException;

    /**
     * Writes a model, and makes sure that it computes what was trained, on given inputs.
     *
     * @param quantizer compressed, and trained or calibrated; left as it is
     * @param file the target; replaced if it exists
     * @param samples inputs of the model, batch first, at least one sample; left as they are
     * @throws RuntimeException if the model cannot be exported, or does not compute what was
     *     trained; then the file is as it was
     * @throws IOException if the file cannot be written; then it is as it was
     */
    void export(Quantizer quantizer, Path file, NDList samples) throws IOException;

    /**
     * Finds the exporter on the class path.
     *
     * @return the first one
     * @throws IllegalStateException if there is none; the message names the artifact to add
     */
    static ModelExporter find() {
        return ServiceLoader.load(ModelExporter.class)
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalStateException(
                                        "no exporter is on the class path; add the artifact"
                                                + " org.nni4j:nni-export to write ONNX models"));
    }
}
