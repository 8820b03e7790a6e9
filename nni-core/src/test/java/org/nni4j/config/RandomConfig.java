package org.nni4j.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/** A random valid config list, written as maps and in Java. */
record RandomConfig(List<Map<String, Object>> maps, ConfigList java) {

    private static final List<String> WORDS =
            List.of(
                    "Conv2d",
                    "Linear",
                    "ReLU",
                    "01Conv2d",
                    "a.b.c",
                    "\"\\/",
                    "é\u2028",
                    "😀",
                    "\t<");

    static RandomConfig of(long seed) {
        Random random = new Random(seed);
        List<Map<String, Object>> maps = new ArrayList<>();
        List<ConfigEntry> entries = new ArrayList<>();
        int size = 1 + random.nextInt(4);
        for (int i = 0; i < size; i++) {
            Draw draw = new Draw(random);
            draw.all();
            maps.add(draw.map);
            entries.add(draw.builder.build());
        }
        return new RandomConfig(maps, new ConfigList(entries));
    }

    /** Draws one entry, writing each key twice. */
    private static final class Draw {
        private final Random random;
        private final Map<String, Object> map = new LinkedHashMap<>();
        private final ConfigEntryBuilder builder = ConfigEntry.builder();

        Draw(Random random) {
            this.random = random;
        }

        void all() {
            if (random.nextInt(4) == 0) {
                map.put("exclude", true);
                builder.exclude();
            } else {
                quantized();
            }
            selection();
            settings();
        }

        private void quantized() {
            List<QuantType> types = some(List.of(QuantType.values()));
            map.put("quant_types", types.stream().map(QuantType::key).toList());
            builder.quantTypes(types.toArray(QuantType[]::new));
            if (random.nextBoolean()) {
                int bits = 1 + random.nextInt(16);
                map.put("quant_bits", bits);
                builder.quantBits(bits);
            } else {
                Map<String, Object> bits = new LinkedHashMap<>();
                types.forEach(
                        type -> {
                            int width = 1 + random.nextInt(16);
                            bits.put(type.key(), width);
                            builder.quantBits(type, width);
                        });
                map.put("quant_bits", bits);
            }
            dtypeAndScheme();
        }

        private void dtypeAndScheme() {
            QuantizationDtype dtype = one(QuantizationDtype.values());
            QuantizationScheme scheme = one(QuantizationScheme.values());
            QuantType type = one(QuantType.values());
            switch (random.nextInt(3)) {
                case 0 -> {
                    map.put("quant_dtype", dtype.key());
                    map.put("quant_scheme", Map.of(type.key(), scheme.key()));
                    builder.quantDtype(dtype).quantScheme(type, scheme);
                }
                case 1 -> {
                    map.put("quant_dtype", Map.of(type.key(), dtype.key()));
                    map.put("quant_scheme", scheme.key());
                    builder.quantDtype(type, dtype).quantScheme(scheme);
                }
                default -> {}
            }
            int step = random.nextInt(3) * 1000;
            map.put("quant_start_step", step);
            builder.quantStartStep(step);
        }

        private void selection() {
            int which = 1 + random.nextInt(7);
            if ((which & 1) != 0) {
                List<String> types = some(WORDS);
                map.put("op_types", types);
                builder.opTypes(types);
            }
            if ((which & 2) != 0) {
                List<String> names = some(WORDS);
                map.put("op_names", names);
                builder.opNames(names);
            }
            if ((which & 4) != 0) {
                map.put("op_names_re", List.of(".*\\.conv[0-9]", "a|b"));
                builder.opNamesRe(".*\\.conv[0-9]", "a|b");
            }
        }

        private void settings() {
            if (random.nextBoolean()) {
                int every = 1 + random.nextInt(100);
                double percentile = 50.001 + 49 * random.nextDouble();
                map.put("observe_every", every);
                map.put("percentile", percentile);
                map.put("observer", "mse");
                builder.setting(SettingKey.OBSERVE_EVERY, every)
                        .setting(SettingKey.PERCENTILE, percentile)
                        .setting(SettingKey.OBSERVER, "mse");
            }
            if (random.nextBoolean()) {
                Map<String, Object> free = new LinkedHashMap<>();
                free.put("double", random.nextGaussian() * Math.pow(10, random.nextInt(40) - 20));
                free.put("long", random.nextLong());
                free.put("int", random.nextInt());
                free.put("whole", (double) random.nextInt(10));
                free.put("text", WORDS.get(random.nextInt(WORDS.size())));
                free.put("flag \"x\"", random.nextBoolean());
                map.put("settings", free);
                free.forEach(builder::setting);
            }
        }

        private <T> T one(T[] values) {
            return values[random.nextInt(values.length)];
        }

        private <T> List<T> some(List<T> values) {
            List<T> shuffled = new ArrayList<>(values);
            Collections.shuffle(shuffled, random);
            return List.copyOf(shuffled.subList(0, 1 + random.nextInt(values.size())));
        }
    }
}
