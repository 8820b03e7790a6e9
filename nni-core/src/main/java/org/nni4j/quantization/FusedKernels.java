package org.nni4j.quantization;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The kernels as libtorch's own, each one call into native code, through TorchScript modules that
 * are compiled when first needed and then kept for the life of the JVM.
 *
 * <p>For float32 and float16 tensors of the PyTorch engine; others, and empty ones, go to {@link
 * NdArrayKernels}.
 */
final class FusedKernels implements QuantizationKernels {

    private static final Map<FusedKernel, PtSymbolBlock> MODULES = new ConcurrentHashMap<>();
    private static final Map<Double, NDArray> NUMBERS = new ConcurrentHashMap<>();

    /** Gradient scales follow batch sizes, and so may be many; the rest is not kept. */
    private static final int MAX_NUMBERS = 256;

    private final NdArrayKernels reference = new NdArrayKernels();

    /** Owns what lives as long as the JVM; opened with the first use of a fused kernel. */
    private static final class Lasting {
        static final NDManager MANAGER = Engine.getEngine("PyTorch").newBaseManager(Device.cpu());
    }

    @Override
    public String name() {
        return "fused";
    }

    @Override
    public NDList range(NDArray x, int axis) {
        Channels channels = Channels.of(x, axis);
        if (!fusible(x)) {
            return reference.range(x, axis);
        }
        return run(new FusedKernel.Range(rank(x, channels), axis), x);
    }

    @Override
    public NDList track(NDArray x, NDArray min, NDArray max, double decay, int axis) {
        NdArrayKernels.checkDecay(decay);
        if (!fusible(x)) {
            return reference.track(x, min, max, decay, axis);
        }
        if (decay == 0) {
            return range(x, axis);
        }
        return run(new FusedKernel.Track(rank(x, Channels.of(x, axis)), axis, decay), x, min, max);
    }

    @Override
    public NDList parameters(
            NDArray min, NDArray max, QuantizedType type, QuantizationScheme scheme) {
        AffineQuantization.checkType(type);
        if (!fusible(min)) {
            return reference.parameters(min, max, type, scheme);
        }
        return run(new FusedKernel.Parameters(type, scheme.isAffine()), min, max);
    }

    @Override
    public NDArray fakeQuantize(
            NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis) {
        Channels channels = Channels.of(x, axis);
        if (!fusible(x)) {
            return reference.fakeQuantize(x, scale, zeroPoint, qmin, qmax, axis);
        }
        return run(
                        new FusedKernel.FakeQuantize(qmin, qmax, rank(x, channels), axis),
                        x,
                        scale,
                        zeroPoint)
                .get(0);
    }

    @Override
    public NDArray quantizeDequantize(
            NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis) {
        Channels channels = Channels.of(x, axis);
        if (!fusible(x)) {
            return reference.quantizeDequantize(x, scale, zeroPoint, qmin, qmax, axis);
        }
        return run(
                        new FusedKernel.QuantizeDequantize(qmin, qmax, rank(x, channels), axis),
                        x,
                        scale,
                        zeroPoint)
                .get(0);
    }

    @Override
    public Observed observe(NDArray x, QuantizedType type, QuantizationScheme scheme, int axis) {
        AffineQuantization.checkType(type);
        Channels channels = Channels.of(x, axis);
        if (!fusible(x)) {
            return reference.observe(x, type, scheme, axis);
        }
        int rank = rank(x, channels);
        return observed(run(new FusedKernel.Observe(type, scheme.isAffine(), rank, axis), x));
    }

    @Override
    public NDArray quantizeByOwnRange(
            NDArray x, QuantizedType type, QuantizationScheme scheme, int axis) {
        AffineQuantization.checkType(type);
        Channels channels = Channels.of(x, axis);
        if (scheme.isAffine() || !fusible(x)) {
            return QuantizationKernels.super.quantizeByOwnRange(x, type, scheme, axis);
        }
        return run(new FusedKernel.OwnRange(type, rank(x, channels), axis), x).get(0);
    }

    @Override
    public Observed observe(
            NDArray x,
            NDArray min,
            NDArray max,
            double decay,
            QuantizedType type,
            QuantizationScheme scheme,
            int axis) {
        NdArrayKernels.checkDecay(decay);
        AffineQuantization.checkType(type);
        Channels channels = Channels.of(x, axis);
        if (!fusible(x)) {
            return reference.observe(x, min, max, decay, type, scheme, axis);
        }
        int rank = rank(x, channels);
        FusedKernel kernel =
                new FusedKernel.ObserveTracked(type, scheme.isAffine(), rank, axis, decay, false);
        return observed(decay == 0 ? run(kernel, x) : run(kernel, x, min, max));
    }

    @Override
    public NDArray observe(
            NDArray x,
            Kept kept,
            double decay,
            QuantizedType type,
            QuantizationScheme scheme,
            int axis) {
        if (!fusible(x) || decay == 0) {
            return QuantizationKernels.super.observe(x, kept, decay, type, scheme, axis);
        }
        NdArrayKernels.checkDecay(decay);
        AffineQuantization.checkType(type);
        int rank = rank(x, Channels.of(x, axis));
        FusedKernel kernel =
                new FusedKernel.ObserveTracked(type, scheme.isAffine(), rank, axis, decay, true);
        return run(kernel, x, kept.min(), kept.max(), kept.scale(), kept.zeroPoint()).get(0);
    }

    private static Observed observed(NDList r) {
        return new Observed(r.get(0), r.get(1), r.get(2), r.get(3), r.get(4));
    }

    @Override
    public NDArray learnedStep(
            NDArray x, NDArray stepSize, int qmin, int qmax, int axis, double gradientScale) {
        Channels channels = Channels.of(x, axis);
        if (!fusible(x)) {
            return reference.learnedStep(x, stepSize, qmin, qmax, axis, gradientScale);
        }
        FusedKernel kernel =
                new FusedKernel.LearnedStep(qmin, qmax, rank(x, channels), axis, false);
        return run(kernel, x, stepSize, number(x, gradientScale)).get(0);
    }

    @Override
    public NDArray learnedStepAndOffset(
            NDArray x,
            NDArray stepSize,
            NDArray zeroPoint,
            int qmin,
            int qmax,
            int axis,
            double gradientScale) {
        Channels channels = Channels.of(x, axis);
        if (!fusible(x)) {
            return reference.learnedStepAndOffset(
                    x, stepSize, zeroPoint, qmin, qmax, axis, gradientScale);
        }
        FusedKernel kernel = new FusedKernel.LearnedStep(qmin, qmax, rank(x, channels), axis, true);
        return run(kernel, x, stepSize, number(x, gradientScale), zeroPoint).get(0);
    }

    @Override
    public NDArray binarize(NDArray x, boolean saturating) {
        return fusible(x)
                ? run(new FusedKernel.Binarize(saturating), x).get(0)
                : reference.binarize(x, saturating);
    }

    @Override
    public NDArray tanhQuantize(NDArray w, int bits, boolean differentiated) {
        return fusible(w)
                ? run(new FusedKernel.TanhQuantize(levels(bits), differentiated), w).get(0)
                : reference.tanhQuantize(w, bits, differentiated);
    }

    @Override
    public NDArray scaledSign(NDArray w) {
        return fusible(w) ? run(new FusedKernel.ScaledSign(), w).get(0) : reference.scaledSign(w);
    }

    @Override
    public NDArray unitQuantize(NDArray x, int bits) {
        return fusible(x)
                ? run(new FusedKernel.UnitQuantize(levels(bits)), x).get(0)
                : reference.unitQuantize(x, bits);
    }

    @Override
    public NDArray clippedQuantize(NDArray x, NDArray level, int bits) {
        return fusible(x)
                ? run(new FusedKernel.ClippedQuantize(levels(bits)), x, level).get(0)
                : reference.clippedQuantize(x, level, bits);
    }

    @Override
    public OptionalLong changes(List<NDArray> arrays) {
        if (arrays.isEmpty() || !arrays.stream().allMatch(FusedKernels::fusible)) {
            return OptionalLong.empty();
        }
        try (NDArray sum =
                run(new FusedKernel.Changes(arrays.size()), arrays.toArray(new NDArray[0]))
                        .get(0)) {
            return OptionalLong.of(sum.toLongArray()[0]);
        }
    }

    @Override
    public boolean isDifferentiated(NDArray array) {
        if (!fusible(array)) {
            return false;
        }
        // DJL's own hasGradient() knows of parameters only.
        try (NDArray answer = run(new FusedKernel.Differentiated(), array).get(0)) {
            return answer.toLongArray()[0] == 1;
        }
    }

    private static int levels(int bits) {
        return new QuantizedType(bits, QuantizationDtype.UINT).qmax();
    }

    /** Per-tensor kernels are the same for every rank, so they share a module. */
    private static int rank(NDArray x, Channels channels) {
        return channels.isPerTensor() ? 0 : x.getShape().dimension();
    }

    private static boolean fusible(NDArray x) {
        return x instanceof PtNDArray
                && (x.getDataType() == DataType.FLOAT32 || x.getDataType() == DataType.FLOAT16)
                && !x.isEmpty();
    }

    /** A number as DJL can pass it to a module: an array of shape (), float32, on the CPU. */
    private static NDArray number(NDArray x, double value) {
        NDArray kept = NUMBERS.get(value);
        if (kept != null) {
            return kept;
        }
        if (NUMBERS.size() >= MAX_NUMBERS) {
            return x.getManager().create((float) value);
        }
        return NUMBERS.computeIfAbsent(value, FusedKernels::keep);
    }

    private static NDArray keep(double value) {
        NDArray number = Lasting.MANAGER.create((float) value);
        // A scope of the caller's would close it.
        NDScope.unregister(number);
        return number;
    }

    private static NDList run(FusedKernel kernel, NDArray... inputs) {
        PtSymbolBlock module = MODULES.get(kernel);
        if (module == null) {
            module =
                    MODULES.computeIfAbsent(
                            kernel,
                            k -> TorchScript.load((PtNDManager) Lasting.MANAGER, k.source()));
        }
        List<NDArray> aliases = new ArrayList<>(0);
        NDList list = new NDList(inputs.length);
        for (NDArray input : inputs) {
            NDArray plain = input;
            if (hasStructuredName(input)) {
                plain = input.reshape(input.getShape());
                aliases.add(plain);
            }
            list.add(plain);
        }
        // "true" leaves autograd as it is; "false" would switch it off.
        NDList results = IValueUtils.forward(module, list, true);
        aliases.forEach(NDArray::close);
        return results;
    }

    /**
     * Tells whether DJL would read a structure from an array's name: {@code "a.b"} becomes a map,
     * {@code "a[]"} a list, {@code "a()"} a tuple, {@code "module_method:a"} no input at all.
     * Parameters are named by their users.
     */
    private static boolean hasStructuredName(NDArray array) {
        String name = array.getName();
        if (name == null) {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            if (".[(:".indexOf(name.charAt(i)) >= 0) {
                return true;
            }
        }
        return false;
    }
}
