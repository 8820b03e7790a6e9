package org.nni4j.calibration;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nni4j.config.JsonObjectReader;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** Reads the JSON form of a calibration config, and reports everything that is wrong with it. */
final class CalibrationReader {

    /** Channels and axes beyond this are no network's. */
    private static final int LARGEST_AXIS = 15;

    private static final int LARGEST_INTEGER = (1 << QuantizedType.MAX_BITS) - 1;

    private CalibrationReader() {}

    static CalibrationConfig read(String json) {
        JsonObjectReader root =
                JsonObjectReader.of(json, "calibration", CalibrationConfig.MOST_VALUES);
        int newest = CalibrationConfig.FORMAT_VERSION;
        Optional<Integer> version = root.whole("format_version", 1, Integer.MAX_VALUE);
        if (version.isPresent() && version.get() > newest) {
            root.problem(
                    "format_version",
                    version.get()
                            + " is newer than this version reads; expected at most "
                            + newest);
            root.throwIfAny();
        }
        Optional<String> algorithm = root.string("algorithm");
        Optional<Integer> step = root.whole("step", 1, Integer.MAX_VALUE);
        String hash =
                root.has("parameters_sha256") ? root.string("parameters_sha256").orElse("") : "";
        if (!hash.isEmpty() && !CalibrationConfig.HASH.matcher(hash).matches()) {
            root.problem("parameters_sha256", "is no hash; expected 64 hexadecimal digits");
        }
        List<CalibratedLayer> layers = new ArrayList<>();
        root.objectsByKey("layers")
                .forEach((path, layer) -> layer(path, layer).ifPresent(layers::add));
        root.refuseOthers();
        root.throwIfAny();
        return new CalibrationConfig(algorithm.orElseThrow(), step.orElseThrow(), layers, hash);
    }

    private static Optional<CalibratedLayer> layer(String path, JsonObjectReader json) {
        Optional<String> type = json.string("type");
        String folded =
                json.has("folded_batch_norm") ? json.string("folded_batch_norm").orElse("") : "";
        List<CalibratedTensor> tensors = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (JsonObjectReader tensor : json.objects("tensors")) {
            tensor(tensor, seen).ifPresent(tensors::add);
        }
        Set<QuantType> unobserved = EnumSet.noneOf(QuantType.class);
        if (json.has("unobserved")) {
            unobserved.addAll(
                    json.choices("unobserved", "quant type", QuantType.values(), QuantType::key));
        }
        json.refuseOthers();
        return type.map(t -> new CalibratedLayer(path, t, folded, tensors, unobserved));
    }

    private static Optional<CalibratedTensor> tensor(JsonObjectReader json, Set<String> seen) {
        Optional<QuantType> type =
                json.choice("quant_type", "quant type", QuantType.values(), QuantType::key);
        Optional<String> name = json.string("tensor");
        if (type.isEmpty()) {
            return Optional.empty();
        }
        Optional<TensorCalibration> calibration = calibration(json, type.get().key());
        json.refuseOthers();
        if (name.isPresent() && !seen.add(type.get().key() + " " + name.get())) {
            json.problem("tensor", "\"" + name.get() + "\" is given twice; expected each once");
        }
        return name.flatMap(n -> calibration.map(c -> new CalibratedTensor(type.get(), n, c)));
    }

    private static Optional<TensorCalibration> calibration(JsonObjectReader json, String type) {
        Optional<Integer> bits = json.whole(type + "_bits", 1, QuantizedType.MAX_BITS);
        Optional<QuantizationDtype> dtype =
                json.choice(
                        type + "_dtype",
                        "dtype",
                        QuantizationDtype.values(),
                        QuantizationDtype::key);
        Optional<QuantizationScheme> scheme =
                json.choice(
                        type + "_scheme",
                        "scheme",
                        QuantizationScheme.values(),
                        QuantizationScheme::key);
        Optional<Integer> axis =
                json.has(type + "_axis")
                        ? json.whole(type + "_axis", 0, LARGEST_AXIS)
                        : Optional.of(QuantizationParameters.PER_TENSOR);
        Optional<float[]> scale = json.floats(type + "_scale");
        Optional<int[]> zero = json.wholes(type + "_zero_point", -LARGEST_INTEGER, LARGEST_INTEGER);
        boolean hasMin = json.has("tracked_min_" + type);
        boolean hasMax = json.has("tracked_max_" + type);
        boolean ranged = hasMin || hasMax;
        Optional<float[]> min = ranged ? json.floats("tracked_min_" + type) : Optional.empty();
        Optional<float[]> max = ranged ? json.floats("tracked_max_" + type) : Optional.empty();
        boolean complete =
                bits.isPresent()
                        && dtype.isPresent()
                        && scheme.isPresent()
                        && axis.isPresent()
                        && scale.isPresent()
                        && zero.isPresent()
                        && (!ranged || (min.isPresent() && max.isPresent()));
        if (!complete) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new TensorCalibration(
                            new QuantizedType(bits.get(), dtype.get()),
                            scheme.get(),
                            new QuantizationParameters(scale.get(), zero.get(), axis.get()),
                            orNull(min),
                            orNull(max)));
        } catch (IllegalArgumentException e) {
            json.problem(String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private static float @Nullable [] orNull(Optional<float[]> values) {
        return values.isPresent() ? values.get() : null;
    }
}
