package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.lang.reflect.Field;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;

/**
 * Data-parallel training without two devices: the arrays of a replica are in the same memory, but
 * say that they are on another device, which is all that the counting of steps and the sharing of
 * ranges go by.
 */
class TwoDevicesTest {

    private static final Device OTHER = Device.of("replica", 1);

    /** Gives the values of one replica, as DJL's own store does for each of its devices. */
    private static final class ReplicaStore extends ParameterStore {

        private final NDManager manager;
        private final Device device;
        private final Map<Parameter, NDArray> values = new LinkedHashMap<>();

        ReplicaStore(NDManager manager, Device device) {
            super(manager, false);
            this.manager = manager;
            this.device = device;
        }

        @Override
        public NDArray getValue(Parameter parameter, Device ignored, boolean training) {
            return values.computeIfAbsent(parameter, this::replica);
        }

        private NDArray replica(Parameter parameter) {
            NDArray master = parameter.getArray();
            NDArray value = master;
            if (!device.equals(master.getDevice())) {
                value = master.duplicate();
                value.attach(manager);
                claim(value, device);
            }
            value.setRequiresGradient(parameter.requiresGradient());
            return value;
        }
    }

    private static void claim(NDArray array, Device device) {
        try {
            Field field = PtNDArray.class.getDeclaredField("device");
            field.setAccessible(true);
            field.set(array, device);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Quantizer quantizer(String algorithm, Model model) {
        return Quantizers.create(
                algorithm,
                model,
                ConfigList.fromMaps(
                        List.of(
                                Map.of(
                                        "quant_types", List.of("weight", "input"),
                                        "quant_bits", 4,
                                        "op_types", List.of("Conv2d", "Linear")))),
                Networks.sgd(0.02f));
    }

    @ParameterizedTest
    @ValueSource(strings = {"qat", "lsq", "pact", "dorefa"})
    void step_onTwoReplicas_countsOneAndSharesRanges(String algorithm) {
        try (Model model = Networks.smallModel(2);
                Quantizer quantizer = quantizer(algorithm, model);
                NDManager manager = model.getNDManager().newSubManager()) {
            quantizer.compress();
            ReplicaStore first = new ReplicaStore(manager, Device.cpu());
            ReplicaStore second = new ReplicaStore(manager, OTHER);
            for (int step = 1; step <= 3; step++) {
                assertThat(quantizer.step()).isEqualTo(step);
                step(model, quantizer, first, second, step);
            }
            assertThat(quantizer.step()).isEqualTo(4);
            assertThat(second.values.keySet()).isEqualTo(first.values.keySet());
            second.values.forEach(
                    (parameter, value) ->
                            assertThat(value.toFloatArray())
                                    .as(parameter.getName())
                                    .isEqualTo(parameter.getArray().toFloatArray()));
            assertThat(quantizer.calibration().layers())
                    .allSatisfy(layer -> assertThat(layer.tensors()).hasSize(2));
            if (algorithm.equals("qat")) {
                assertBothWereSeen(quantizer);
            }
        }
    }

    /** Forward and backward on both, then each parameter's update on both, as DJL's store does. */
    private static void step(
            Model model, Quantizer quantizer, ReplicaStore first, ReplicaStore second, int seed) {
        try (NDManager batch = model.getNDManager().newSubManager()) {
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray loss = loss(model, first, batch, seed, 1);
                collector.backward(loss.add(loss(model, second, batch, seed, 3)));
            }
            for (Parameter parameter : first.values.keySet()) {
                if (!parameter.requiresGradient()) {
                    continue;
                }
                NDArray one = first.values.get(parameter);
                NDArray two = Objects.requireNonNull(second.values.get(parameter));
                NDArray sum = one.getGradient().add(two.getGradient());
                sum.attach(batch);
                // The first device gets the sum itself, which is copied to the others after that.
                quantizer.optimizer().update(parameter.getId(), one, sum);
                quantizer.optimizer().update(parameter.getId(), two, sum.duplicate());
                one.getGradient().muli(0);
                two.getGradient().muli(0);
            }
        }
    }

    private static NDArray loss(
            Model model, ReplicaStore store, NDManager batch, int seed, float magnitude) {
        float[] pictures = Networks.random(Networks.SMALL, seed);
        pictures[0] = magnitude;
        NDArray x = batch.create(pictures, Networks.SMALL);
        return model.getBlock().forward(store, new NDList(x), true).head().square().mean();
    }

    /** Batches of one replica reach to 1, those of the other one to 3. */
    private static void assertBothWereSeen(Quantizer quantizer) {
        TensorCalibration input =
                quantizer.calibration().layers().get(0).tensor(QuantType.INPUT, "0").orElseThrow();
        assertThat(Objects.requireNonNull(input.max())[0]).isGreaterThan(1).isLessThan(3);
    }
}
