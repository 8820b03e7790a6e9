package org.nni4j.compression;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ModelExporterTest {

    /** The core's own class path has none. */
    @Test
    void find_withoutExporter_namesTheArtifactToAdd() {
        assertThatThrownBy(ModelExporter::find)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("org.nni4j:nni-export");
    }
}
