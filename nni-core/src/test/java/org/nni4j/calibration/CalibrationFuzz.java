package org.nni4j.calibration;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.nni4j.config.ConfigException;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** Any bytes are a calibration that survives being written, or a {@link ConfigException}. */
public final class CalibrationFuzz {

    private CalibrationFuzz() {}

    /** Loads and instruments all classes before inputs are timed. */
    public static void fuzzerInitialize() {
        seeds().forEach(CalibrationFuzz::fuzzerTestOneInput);
    }

    /** What the fuzzer calls. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        // A file that is not UTF-8 is refused before anything is read; here it gets further.
        String json = new String(bytes, StandardCharsets.UTF_8);
        CalibrationConfig calibration;
        try {
            calibration = CalibrationConfig.fromJson(json);
        } catch (ConfigException e) {
            if (e.problems().isEmpty() || String.valueOf(e.getMessage()).length() > 200_000) {
                throw new AssertionError(e.problems().size() + " problems", e);
            }
            return;
        }
        if (!CalibrationConfig.fromJson(calibration.toJson()).equals(calibration)) {
            throw new AssertionError("is read back otherwise:\n" + calibration.toJson());
        }
    }

    /** Where the fuzzer begins. */
    public static List<byte[]> seeds() {
        Stream<String> hostile =
                Stream.of(
                        "{\"format_version\":2}",
                        "{\"format_version\":1,\"format_version\":1}",
                        "{\"layers\":{\"a\":{\"tensors\":[{\"weight_scale\":[NaN,-0.0,1e999]}]}}}",
                        "\uFEFF{}");
        Stream<String> valid = LongStream.range(0, 20).mapToObj(seed -> random(seed).toJson());
        return Stream.concat(hostile, valid)
                .map(json -> json.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    private static CalibrationConfig random(long seed) {
        Random random = new Random(seed);
        List<CalibratedLayer> layers = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            List<CalibratedTensor> tensors = new ArrayList<>();
            for (QuantType type : QuantType.values()) {
                if (random.nextBoolean()) {
                    tensors.add(new CalibratedTensor(type, "0", tensor(random)));
                }
            }
            layers.add(
                    new CalibratedLayer(
                            "0" + i + "Conv2d",
                            "Conv2d",
                            random.nextBoolean() ? "" : "norm",
                            tensors,
                            random.nextBoolean()
                                    ? EnumSet.noneOf(QuantType.class)
                                    : EnumSet.of(QuantType.OUTPUT)));
        }
        return new CalibrationConfig("qat", 1 + random.nextInt(1000), layers);
    }

    @SuppressWarnings("NullAway") // does not see that the ranges may be null
    private static TensorCalibration tensor(Random random) {
        QuantizedType type =
                new QuantizedType(
                        2 + random.nextInt(15),
                        random.nextBoolean() ? QuantizationDtype.INT : QuantizationDtype.UINT);
        QuantizationScheme[] schemes = QuantizationScheme.values();
        QuantizationScheme scheme = schemes[random.nextInt(schemes.length)];
        int channels = scheme.isPerChannel() ? 1 + random.nextInt(3) : 1;
        float[] scale = new float[channels];
        for (int c = 0; c < channels; c++) {
            scale[c] = (float) Math.exp(random.nextGaussian() * 10);
        }
        int axis = scheme.isPerChannel() ? random.nextInt(4) : QuantizationParameters.PER_TENSOR;
        boolean ranged = random.nextBoolean();
        return new TensorCalibration(
                type,
                scheme,
                new QuantizationParameters(scale, new int[channels], axis),
                ranged ? new float[channels] : null,
                ranged ? scale : null);
    }
}
