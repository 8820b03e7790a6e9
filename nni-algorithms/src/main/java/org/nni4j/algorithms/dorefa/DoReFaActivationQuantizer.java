package org.nni4j.algorithms.dorefa;

import ai.djl.ndarray.NDArray;
import java.util.Map;
import java.util.Optional;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Quantizes inputs and outputs clipped to [0, 1]: {@code round(k · clip(x, 0, 1)) / k} with {@code
 * k = 2^bits - 1} (eq. 5, 6 and 11). There is nothing to learn or to remember.
 */
final class DoReFaActivationQuantizer implements TensorQuantizer {

    private final QuantizationKernels kernels;
    private final QuantizedType type;

    DoReFaActivationQuantizer(QuantizationKernels kernels, QuantizedType type) {
        this.kernels = kernels;
        this.type = type;
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        return context.quantizing() ? kernels.unitQuantize(tensor, type.bits()) : tensor;
    }

    @Override
    public Optional<TensorCalibration> calibration() {
        return Optional.of(
                new TensorCalibration(
                        type,
                        QuantizationScheme.PER_TENSOR_AFFINE,
                        QuantizationParameters.perTensor(1f / type.qmax(), 0),
                        new float[] {0},
                        new float[] {1}));
    }

    @Override
    public void restore(TensorCalibration calibration) {}

    @Override
    public QuantizerState state() {
        return new QuantizerState(Map.of(), Map.of());
    }

    @Override
    public void load(QuantizerState state) {}

    @Override
    public void close() {}
}
