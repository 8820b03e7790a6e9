package org.nni4j.algorithms.observer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.Alias;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.observer.ObservedRange;
import org.nni4j.observer.Observer;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizedType;

/**
 * Observes inputs and outputs in evaluation forwards until the network is asked for its
 * calibration; quantizes from then on.
 *
 * <p>While it observes, tensors pass unchanged, and so they do afterwards where no data was seen. A
 * weight is quantized by what it is when the calibration is asked for.
 */
final class ObservingQuantizer implements TensorQuantizer {

    private static final String OBSERVED = "observed.";
    private static final String AXIS = "axis";
    private static final String ENDED = "ended";

    private final QuantizationPoint point;
    private final QuantizationKernels kernels;
    private final NDManager parent;
    private final QuantizedType type;
    private final Observation observation;
    private final Supplier<Observer> observers;
    private Observer observer;
    private int axis = QuantizationParameters.PER_TENSOR;
    private @Nullable Frozen frozen;

    /** What was found; the arrays are on a manager of their own. */
    private record Frozen(
            TensorCalibration calibration, NDManager owner, NDArray scale, NDArray zeroPoint) {}

    ObservingQuantizer(
            QuantizationPoint point,
            AlgorithmContext context,
            QuantizedType type,
            Observation observation,
            Supplier<Observer> observers) {
        this.point = point;
        this.kernels = context.kernels();
        this.parent = context.manager();
        this.type = type;
        this.observation = observation;
        this.observers = observers;
        this.observer = observers.get();
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        Frozen parameters = frozenOrObserve(tensor, context.training());
        if (parameters == null) {
            return tensor;
        }
        NDArray scale = Alias.of(parameters.scale(), tensor.getManager());
        NDArray zero = Alias.of(parameters.zeroPoint(), tensor.getManager());
        // not the calibration's: the last axis is another one in a tensor of another rank
        int along = point.axis(tensor.getShape());
        return context.training()
                ? kernels.fakeQuantize(tensor, scale, zero, type.qmin(), type.qmax(), along)
                : kernels.quantizeDequantize(tensor, scale, zero, type.qmin(), type.qmax(), along);
    }

    private synchronized @Nullable Frozen frozenOrObserve(NDArray tensor, boolean training) {
        if (frozen != null || observation.isEnded()) {
            return frozen;
        }
        if (training) {
            throw new IllegalStateException(
                    point
                            + ": is being calibrated and got a training forward; calibrate in"
                            + " evaluation mode, and call compress() before training");
        }
        if (point.quantType() != QuantType.WEIGHT) {
            observe(tensor);
        }
        return null;
    }

    /**
     * Takes over what another point observed, as if its tensors had arrived here after this one's.
     *
     * @param other of an equal point; left as it is
     */
    void merge(ObservingQuantizer other) {
        if (point.quantType() == QuantType.WEIGHT) {
            return;
        }
        QuantizerState seen = other.state();
        synchronized (this) {
            Observer theirs = observers.get();
            theirs.load(observed(seen));
            if (!theirs.isEmpty()) {
                observer.merge(theirs);
                axis = Math.toIntExact(seen.counter(AXIS));
            }
        }
    }

    private void observe(NDArray tensor) {
        axis = point.axis(tensor.getShape());
        try {
            observer.observe(tensor, axis);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(point + ": " + e.getMessage(), e);
        }
    }

    /** The weight that the calibration is about to be asked for. */
    @Override
    public synchronized void describe(NDArray weight) {
        if (frozen == null && !weight.isEmpty()) {
            observer = observers.get();
            observe(weight.stopGradient());
        }
    }

    /** Ends the observation of the whole network; what it saw here, if anything, now holds. */
    @Override
    public synchronized Optional<TensorCalibration> calibration() {
        if (frozen == null && !observer.isEmpty()) {
            freeze(observed());
        }
        observation.end();
        return Optional.ofNullable(frozen).map(Frozen::calibration);
    }

    private TensorCalibration observed() {
        try {
            ObservedRange range = observer.range(type, point.scheme());
            return new TensorCalibration(
                    type, point.scheme(), parameters(range), range.min(), range.max());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(point + ": " + e.getMessage(), e);
        }
    }

    private QuantizationParameters parameters(ObservedRange range) {
        float[] min = range.min();
        float[] max = range.max();
        return axis == QuantizationParameters.PER_TENSOR
                ? AffineQuantization.parametersFor(min[0], max[0], type, point.scheme())
                : AffineQuantization.parametersFor(min, max, type, point.scheme(), axis);
    }

    private void freeze(TensorCalibration calibration) {
        thaw();
        NDManager owner = parent.newSubManager();
        QuantizationParameters parameters = calibration.parameters();
        frozen =
                new Frozen(
                        calibration,
                        owner,
                        owner.create(parameters.scale()),
                        owner.create(parameters.zeroPoint()));
    }

    private void thaw() {
        if (frozen != null) {
            frozen.owner().close();
            frozen = null;
        }
    }

    @Override
    public synchronized void restore(TensorCalibration calibration) {
        observation.end();
        axis = calibration.parameters().axis();
        freeze(calibration);
    }

    @Override
    public synchronized QuantizerState state() {
        Map<String, float[]> arrays = new LinkedHashMap<>();
        observer.state().forEach((name, values) -> arrays.put(OBSERVED + name, values));
        Map<String, Long> counters = new LinkedHashMap<>();
        counters.put(AXIS, (long) axis);
        if (observation.isEnded() || sawSomething()) {
            counters.put(ENDED, observation.isEnded() ? 1L : 0L);
        }
        if (frozen != null) {
            FrozenState.write(frozen.calibration(), arrays);
        }
        return new QuantizerState(arrays, counters);
    }

    /**
     * Tells whether this point can say that the observation goes on. One that no tensor has reached
     * cannot: going back to what it was when it was made must not open the whole network's again.
     */
    private boolean sawSomething() {
        return point.quantType() == QuantType.WEIGHT || frozen != null || !observer.isEmpty();
    }

    @Override
    public synchronized void load(QuantizerState state) {
        long savedAxis = state.counter(AXIS);
        Observer loaded = observers.get();
        loaded.load(observed(state));
        observer = loaded;
        axis = Math.toIntExact(savedAxis);
        thaw();
        FrozenState.read(state.arrays(), type, point.scheme(), axis).ifPresent(this::freeze);
        Long ended = state.counters().get(ENDED);
        if (ended != null) {
            observation.load(ended != 0);
        } else if (sawSomething()) {
            // Old states do not say; what was frozen in them was no longer observed.
            observation.load(frozen != null);
        }
    }

    private static Map<String, float[]> observed(QuantizerState state) {
        Map<String, float[]> observed = new LinkedHashMap<>();
        state.arrays()
                .forEach(
                        (name, values) -> {
                            if (name.startsWith(OBSERVED)) {
                                observed.put(name.substring(OBSERVED.length()), values);
                            }
                        });
        return observed;
    }

    @Override
    public synchronized void close() {
        thaw();
    }
}
