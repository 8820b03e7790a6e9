package org.nni4j.export.verification;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Parts hold all samples once, in order, and none holds a single one of several. */
class SamplePartsTest {

    @ParameterizedTest
    @CsvSource({
        "7, 1, 2 2 3",
        "7, 3, 3 4",
        "8, 3, 3 5",
        "7, 7, 7",
        "7, 1000000000000, 7",
        "1, 1, 1",
        "2, 0, 2",
        "3, 2, 3"
    })
    void part_ofSamples_hasItsRows(int samples, long rows, String sizes) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDList all = new NDList(manager.arange((float) samples).reshape(samples, 1));
            SampleParts parts = SampleParts.of(all, rows);

            List<String> found = new ArrayList<>();
            List<Float> elements = new ArrayList<>();
            for (int i = 0; i < parts.count(); i++) {
                NDList part = parts.part(i, manager);
                found.add(String.valueOf(part.head().size(0)));
                for (float element : part.head().toFloatArray()) {
                    elements.add(element);
                }
            }

            assertThat(String.join(" ", found)).isEqualTo(sizes);
            assertThat(elements).hasSize(samples).isSorted().doesNotHaveDuplicates();
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 5", "5, 3"})
    void whole_takesAnyShapes(int one, int other) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDList all =
                    new NDList(manager.ones(new Shape(one, 2)), manager.ones(new Shape(other)));
            SampleParts parts = SampleParts.whole(all);

            assertThat(parts.count()).isEqualTo(1);
            assertThat(parts.part(0, manager).getShapes()).isEqualTo(all.getShapes());
        }
    }
}
