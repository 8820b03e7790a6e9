package org.nni4j.export.integer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.HashSet;
import java.util.Set;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibratedTensor;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.compression.Inspection;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorTap.Side;

/**
 * Finds out which inputs and outputs are quantized to their sign, by trying: a calibration says
 * which integers there are, but not that 0 is left out.
 */
public final class SignSites {

    /** Between integers, so that no rounding rule matters, and beyond the ends. */
    private static final float[] STEPS = {-300.3f, -1.3f, -0.3f, 0.3f, 1.3f, 2.7f, 300.3f};

    private SignSites() {}

    /**
     * Tries every quantized input and output that has one scale.
     *
     * @param calibration how they are quantized
     * @param inspection of the quantized model
     * @param scope owns what is computed
     * @return those of which only the sign is kept
     * @throws IllegalArgumentException if one is quantized neither by its scale and zero point nor
     *     to its sign; the message names it
     */
    public static Set<TensorSite> find(
            CalibrationConfig calibration, Inspection inspection, NDManager scope) {
        Set<TensorSite> signs = new HashSet<>();
        for (CalibratedLayer layer : calibration.layers()) {
            for (CalibratedTensor tensor : layer.tensors()) {
                TensorCodes codes = TensorCodes.of(tensor.calibration(), false);
                if (tensor.quantType() != QuantType.WEIGHT && codes.isPerTensor()) {
                    Side side = tensor.quantType() == QuantType.INPUT ? Side.INPUT : Side.OUTPUT;
                    int position = Integer.parseInt(tensor.tensor());
                    TensorSite site = new TensorSite(layer.path(), side, position, 0);
                    if (isSign(site, codes, inspection, scope)) {
                        signs.add(site);
                    }
                }
            }
        }
        return signs;
    }

    private static boolean isSign(
            TensorSite site, TensorCodes codes, Inspection inspection, NDManager scope) {
        float[] x = new float[STEPS.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = STEPS[i] * codes.scale();
        }
        NDArray tensor = scope.create(x, new Shape(1, x.length));
        float[] seen =
                inspection
                        .fakeQuantize(site.path(), site.side(), site.position(), tensor)
                        .toFloatArray();
        boolean affine = true;
        boolean sign = true;
        for (int i = 0; i < x.length; i++) {
            int code = codes.code(x[i]);
            float half = codes.scale() / 4;
            affine &= Math.abs((code - codes.zeroPoint()) * codes.scale() - seen[i]) < half;
            sign &= Math.abs(Math.copySign(codes.scale(), x[i]) - seen[i]) < half;
        }
        if (!affine && !sign) {
            throw new IllegalArgumentException(
                    site
                            + " is quantized neither by its scale and zero point nor to its sign;"
                            + " the model cannot be exported as integers");
        }
        return !affine;
    }
}
