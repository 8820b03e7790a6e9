package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.config.QuantType;

/**
 * A row of the table in {@code docs/algorithms/README.md}.
 *
 * @param bits widths by quant type, without those it does not name
 * @param allSchemes whether all schemes may be named
 * @param dtype whether {@code quant_dtype} may be
 * @param startStep whether {@code quant_start_step} is supported
 * @param folding whether BatchNorm folding is
 * @param trains whether it trains
 */
record DocumentedAlgorithm(
        Map<QuantType, BitRange> bits,
        boolean allSchemes,
        boolean dtype,
        boolean startStep,
        boolean folding,
        boolean trains) {

    private static final List<String> HEAD =
            List.of(
                    "name",
                    "quantizer",
                    "weights",
                    "inputs, outputs",
                    "schemes",
                    "`quant_dtype`",
                    "start step",
                    "BatchNorm folding",
                    "trains",
                    "page");

    private static final String NONE = "–";

    /** The rows by the algorithm's name. */
    static Map<String, DocumentedAlgorithm> table() throws IOException {
        List<List<String>> rows =
                Files.readAllLines(Path.of("../docs/algorithms/README.md")).stream()
                        .dropWhile(line -> !line.startsWith("|"))
                        .takeWhile(line -> line.startsWith("|"))
                        .map(DocumentedAlgorithm::cells)
                        .toList();
        assertThat(rows.get(0)).isEqualTo(HEAD);
        Map<String, DocumentedAlgorithm> table = new LinkedHashMap<>();
        rows.stream().skip(2).forEach(row -> table.put(row.get(0).replace("`", ""), of(row)));
        return table;
    }

    private static List<String> cells(String line) {
        String[] cells = line.split("\\|");
        return Arrays.stream(cells).skip(1).map(String::strip).toList();
    }

    private static DocumentedAlgorithm of(List<String> row) {
        Map<QuantType, BitRange> bits = new EnumMap<>(QuantType.class);
        put(bits, row.get(2), QuantType.WEIGHT);
        String others = row.get(3);
        if (!others.endsWith("(outputs)")) {
            put(bits, others, QuantType.INPUT);
        }
        if (!others.endsWith("(inputs)")) {
            put(bits, others, QuantType.OUTPUT);
        }
        return new DocumentedAlgorithm(
                bits,
                row.get(4).startsWith("all four"),
                row.get(5).equals("yes"),
                row.get(6).equals("yes"),
                row.get(7).equals("yes"),
                row.get(8).startsWith("yes"));
    }

    /** The widths come first in a cell, as {@code 8} or {@code 2..16}; a remark may follow. */
    private static void put(Map<QuantType, BitRange> bits, String cell, QuantType type) {
        if (!cell.equals(NONE)) {
            String[] ends = cell.split(" ")[0].split("\\.\\.");
            int min = Integer.parseInt(ends[0]);
            bits.put(type, new BitRange(min, Integer.parseInt(ends[ends.length - 1])));
        }
    }
}
