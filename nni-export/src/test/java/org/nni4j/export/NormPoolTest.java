package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.fixtures.FunctionBlock;

/** Pools by a norm, on numbers of both signs: DJL adds powers, ONNX powers of magnitudes. */
class NormPoolTest {

    private static final Shape PICTURE = new Shape(2, 3, 7, 8);

    @TempDir private Path folder;

    private Path file() {
        return folder.resolve("pool.onnx");
    }

    private static Block pool(float norm, Shape kernel, Shape stride, boolean ceil) {
        Shape padding = new Shape(new long[kernel.dimension()]);
        return new SequentialBlock()
                .add(
                        new FunctionBlock(
                                in ->
                                        new NDList(
                                                in.head()
                                                        .getNDArrayInternal()
                                                        .lpPool(
                                                                norm, kernel, stride, padding,
                                                                ceil))));
    }

    @ParameterizedTest
    @CsvSource({"2", "4"})
    void export_evenNorm_agrees(float norm) throws Exception {
        agrees(pool(norm, new Shape(3, 2), new Shape(2, 3), false), PICTURE);
        agrees(pool(norm, new Shape(3), new Shape(2), false), new Shape(2, 3, 9));
    }

    private void agrees(Block pool, Shape shape) throws Exception {
        try (NDManager manager = NDManager.newBaseManager()) {
            manager.getEngine().setRandomSeed(3);
            OnnxExporter.builder().build().exportFloat(pool, file(), shape);
            try (OnnxRun run = new OnnxRun(file())) {
                NDList inputs = Agreement.normal(manager, 3, shape);
                // Powers and roots differ in their last bits.
                Agreement.assertClose("norm pool", pool, run, inputs, 2e-6);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {1, 3, 2.5f, 0, -2, Float.POSITIVE_INFINITY})
    void export_otherNorm_isRefused(float norm) {
        Block pool = pool(norm, new Shape(3, 2), new Shape(2, 3), false);

        assertThatThrownBy(() -> OnnxExporter.builder().build().exportFloat(pool, file(), PICTURE))
                .isInstanceOf(OnnxExportException.class)
                .hasMessageContaining("01FunctionBlock.LpPool1")
                .hasMessageContaining("norm " + norm)
                .hasMessageContaining("expected an even whole number");
    }

    @Test
    void export_ceilMode_isRefused() {
        Block pool = pool(2, new Shape(3, 2), new Shape(2, 3), true);

        assertThatThrownBy(() -> OnnxExporter.builder().build().exportFloat(pool, file(), PICTURE))
                .isInstanceOf(OnnxExportException.class)
                .hasMessageContaining("ceilMode");
    }
}
