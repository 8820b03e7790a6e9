package org.nni4j.algorithms.dynamic;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationParameters;

/**
 * The arithmetic of a runtime that quantizes dynamically. Two runtimes give different numbers for
 * the same network; each is met to the integer.
 */
enum Profile {
    /* Weights: s = max|w| / 127 within -127..127. Activations: DynamicQuantizeLinear of ONNX opset 11,
     * s = (max - min) / 255 and z = clamp(round(-min / s)), in float32; x is divided by s. */
    ONNXRUNTIME("onnxruntime", Set.of("Linear", "LSTM"), 127f, -127) {

        @Override
        QuantizationParameters activation(float min, float max, boolean reduced) {
            float low = Math.min(min, 0f);
            float high = Math.max(max, 0f);
            // ONNX Runtime's choice for a tensor of zeros; ONNX leaves it open.
            float scale = low == high ? 1f : (high - low) / UINT8;
            float zeroPoint = Math.max(0f, Math.min(UINT8, -low / scale));
            return QuantizationParameters.perTensor(scale, (int) Math.rint(zeroPoint));
        }

        @Override
        float inverse(float scale) {
            return Float.NaN;
        }
    },

    /* Weights: s = max|w| / 127.5 within -128..127. Activations: 7 bits unless told otherwise; scale and zero point in
     * double; x is multiplied by the float32 of 1 / s. Though the zero point is chosen for 0..127, values go up to 255. */
    PYTORCH("pytorch", Set.of("Linear", "LSTM", "GRU"), 127.5f, -128) {

        private static final float SMALLEST = 6.1e-5f;

        @Override
        QuantizationParameters activation(float min, float max, boolean reduced) {
            int qmax = reduced ? UINT8 / 2 : UINT8;
            double low = Math.min(min, 0f);
            double high = Math.max(max, 0f);
            double scale = (high - low) / qmax;
            if ((float) scale == 0f || Float.isInfinite(1f / (float) scale)) {
                scale = 0.1;
            }
            if (scale < SMALLEST) {
                double stretch = SMALLEST / (float) scale;
                low = high == 0 ? -SMALLEST * qmax : (float) low * (float) stretch;
                high = low == 0 ? SMALLEST * qmax : (float) high * (float) stretch;
                scale = SMALLEST;
            }
            return QuantizationParameters.perTensor(
                    (float) scale, zeroPoint(low / scale, high / scale, qmax));
        }

        /** From the end of the range that lies nearer to its integer. */
        private static int zeroPoint(double low, double high, int qmax) {
            double zeroPoint = -Math.abs(low) < qmax - Math.abs(high) ? -low : qmax - high;
            return (int) Math.rint(Math.max(0, Math.min(qmax, zeroPoint)));
        }

        @Override
        float inverse(float scale) {
            return 1f / scale;
        }
    };

    static final int UINT8 = 255;

    private static final int INT8_MAX = 127;
    private static final int INT7_MAX = 63;

    private final String key;

    @SuppressWarnings("ImmutableEnumChecker") // Set.of is
    private final Set<String> layerTypes;

    private final float steps;
    private final int weightMin;

    Profile(String key, Set<String> layerTypes, float steps, int weightMin) {
        this.key = key;
        this.layerTypes = layerTypes;
        this.steps = steps;
        this.weightMin = weightMin;
    }

    /** All spellings, the default first. */
    static List<String> keys() {
        return Arrays.stream(values()).map(Profile::key).toList();
    }

    static Profile of(String key) {
        return Arrays.stream(values())
                .filter(profile -> profile.key.equals(key))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no profile \"" + key + "\""));
    }

    String key() {
        return key;
    }

    /** The layers the runtime has dynamic kernels for. */
    Set<String> layerTypes() {
        return layerTypes;
    }

    /**
     * Scale and zero point of an activation.
     *
     * @param min the smallest value of this call, finite
     * @param max the largest
     * @param reduced whether the range is reduced, which only PyTorch does to activations
     */
    abstract QuantizationParameters activation(float min, float max, boolean reduced);

    /** What values are multiplied by to get integers; NaN where they are divided by the scale. */
    abstract float inverse(float scale);

    /**
     * The scale of weights.
     *
     * @param largest the largest magnitude
     * @param reduced whether the range is reduced, which only ONNX Runtime does to weights
     */
    float weightScale(float largest, boolean reduced) {
        float over = narrowed(reduced) ? INT7_MAX : steps;
        return Math.max(largest / over, AffineQuantization.EPSILON);
    }

    int weightMin(boolean reduced) {
        return narrowed(reduced) ? -INT7_MAX : weightMin;
    }

    int weightMax(boolean reduced) {
        return narrowed(reduced) ? INT7_MAX : INT8_MAX;
    }

    private boolean narrowed(boolean reduced) {
        return reduced && this == ONNXRUNTIME;
    }

    /** Whether the range is reduced where nothing is said. */
    boolean reducedByDefault() {
        return this == PYTORCH;
    }

    /** Whether both biases of a recurrent cell are added before they meet the products. */
    boolean sumsBiases() {
        return this == ONNXRUNTIME;
    }
}
