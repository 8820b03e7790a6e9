package org.nni4j.export;

import java.util.List;
import org.nni4j.export.integer.FloatReasons.FloatLayer;
import org.nni4j.export.runtime.OperatorCensus;
import org.nni4j.export.verification.Gains;

/**
 * What became of a quantized model, however it was quantized: what was written, how much of it runs
 * in integers, whether it computes what it does in DJL, and what is won. {@code toString} prints
 * all of it.
 */
public sealed interface ModelReport permits ExportReport, DynamicReport {

    /**
     * Returns what was written.
     *
     * @return the file and what is in it
     */
    OnnxExport export();

    /**
     * Returns what ONNX Runtime executes after its optimizations.
     *
     * @return integer and float operators
     */
    OperatorCensus census();

    /**
     * Returns every operator that runs in float.
     *
     * @return each with the reason
     */
    List<FloatLayer> floatLayers();

    /**
     * Returns size and speed.
     *
     * @return nothing but the size if nothing was timed
     */
    Gains gains();

    /**
     * Tells whether the model computes what it does in DJL.
     *
     * @return whether the comparison found no problem
     */
    boolean isVerified();
}
