package org.nni4j.config;

import java.util.List;
import java.util.stream.Stream;

/** The spelling of an entry's keys, NNI's and ours. */
final class EntryKey {
    static final String QUANT_TYPES = "quant_types";
    static final String QUANT_BITS = "quant_bits";
    static final String OP_TYPES = "op_types";
    static final String OP_NAMES = "op_names";
    static final String OP_NAMES_RE = "op_names_re";
    static final String EXCLUDE = "exclude";
    static final String QUANT_START_STEP = "quant_start_step";
    static final String QUANT_DTYPE = "quant_dtype";
    static final String QUANT_SCHEME = "quant_scheme";
    static final String SETTINGS = "settings";

    /** Every key an entry may hold, in the order the documentation lists them. */
    static final List<String> ALL =
            Stream.concat(
                            Stream.of(
                                    QUANT_TYPES,
                                    QUANT_BITS,
                                    OP_TYPES,
                                    OP_NAMES,
                                    OP_NAMES_RE,
                                    EXCLUDE,
                                    QUANT_START_STEP,
                                    QUANT_DTYPE,
                                    QUANT_SCHEME,
                                    SETTINGS),
                            SettingKey.keys().stream())
                    .toList();

    private EntryKey() {}
}
