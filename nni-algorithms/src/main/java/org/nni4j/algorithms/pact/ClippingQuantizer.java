package org.nni4j.algorithms.pact;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.nn.Parameter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.LearnedValue;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Clips to {@code 0..α} and quantizes: {@code round(clip(x, 0, α) · k / α) · α / k} with {@code k =
 * 2^bits - 1}.
 */
final class ClippingQuantizer implements TensorQuantizer {

    private static final String LEVEL = "level";

    private final QuantizationKernels kernels;
    private final LevelSettings settings;
    private final QuantizedType type;
    private final LearnedValue level;
    private float before;

    ClippingQuantizer(QuantizationPoint point, AlgorithmContext context, LevelSettings settings) {
        this.kernels = context.kernels();
        this.settings = settings;
        this.type = new QuantizedType(point.type().bits(), QuantizationDtype.UINT);
        this.level = new LearnedValue(point + ": clipping level", context.manager());
        level.set(settings.initial());
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        if (!context.quantizing()) {
            return tensor;
        }
        NDArray alpha = level.on(tensor, context);
        if (context.training()) {
            return kernels.clippedQuantize(tensor, alpha, type.bits());
        }
        // The floor is the level's, as in the training kernel: that of a scale would be qmax times
        // as high.
        NDArray scale = alpha.stopGradient().maximum(AffineQuantization.EPSILON).div(type.qmax());
        return kernels.quantizeDequantize(
                tensor,
                scale,
                scale.zerosLike(),
                0,
                type.qmax(),
                QuantizationParameters.PER_TENSOR);
    }

    @Override
    public Optional<TensorCalibration> calibration() {
        float alpha = Math.max(level.values()[0], AffineQuantization.EPSILON);
        float scale = alpha / type.qmax();
        return Optional.of(
                new TensorCalibration(
                        type,
                        QuantizationScheme.PER_TENSOR_AFFINE,
                        QuantizationParameters.perTensor(scale, 0),
                        new float[] {0},
                        new float[] {alpha}));
    }

    @Override
    public void restore(TensorCalibration calibration) {
        float[] max = calibration.max();
        level.set(max == null ? calibration.parameters().scale()[0] * type.qmax() : max[0]);
    }

    @Override
    public QuantizerState state() {
        return new QuantizerState(Map.of(LEVEL, level.values()), Map.of());
    }

    @Override
    public void load(QuantizerState state) {
        level.set(state.array(LEVEL, 1));
    }

    @Override
    public List<Parameter> learnedParameters() {
        return List.of(level.parameter());
    }

    @Override
    public float learningRateMultiple() {
        return settings.learningRateMultiple();
    }

    /** The paper regularizes α by its squared norm. */
    @Override
    public void beforeUpdate(Parameter learned, NDArray value, NDArray gradient) {
        before = value.toFloatArray()[0];
        if (settings.decay() > 0) {
            try (NDScope scope = new NDScope()) {
                gradient.addi(before * settings.decay());
                scope.suppressNotUsedWarning();
            }
        }
    }

    /**
     * A level must stay positive; an update takes half of it at most. One that is no number any
     * more stays so, to be noticed.
     */
    @Override
    public void afterUpdate(Parameter learned, NDArray value) {
        float least = Math.max(before / 2, AffineQuantization.EPSILON);
        float updated = value.toFloatArray()[0];
        if (Float.isFinite(updated) && updated < least) {
            LearnedValue.write(value, least);
        }
    }

    @Override
    public void close() {
        level.close();
    }
}
