package org.nni4j.export.integer;

import java.util.List;

/**
 * A tensor that is integers in the exported model.
 *
 * @param integers name of the integer value in the file
 * @param codes how it maps to integers
 * @param sites where the fake-quantized network quantizes the same tensor; empty where the export
 *     quantizes it earlier than training did
 */
public record QuantizedTensor(String integers, TensorCodes codes, List<TensorSite> sites) {

    /** Copies the list. */
    public QuantizedTensor {
        sites = List.copyOf(sites);
    }
}
