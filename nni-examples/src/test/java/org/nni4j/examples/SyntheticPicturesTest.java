package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class SyntheticPicturesTest {

    @Test
    void drawDigits_seed42_isTheSameOnEveryMachine() {
        assertThat(checksum(SyntheticDigits.draw(200, 42))).isEqualTo(1_460_798_188L);
    }

    @Test
    void drawShapes_seed42_isTheSameOnEveryMachine() {
        assertThat(checksum(SyntheticShapes.draw(200, 42))).isEqualTo(2_970_020_587L);
    }

    @Test
    void drawDigits_otherSeed_givesOtherPictures() {
        assertThat(SyntheticDigits.draw(10, 1).pixels())
                .isNotEqualTo(SyntheticDigits.draw(10, 2).pixels());
    }

    @Test
    void drawDigits_moreOfThem_beginsWithTheSame() {
        assertThat(SyntheticDigits.draw(20, 5).first(10).pixels())
                .isEqualTo(SyntheticDigits.draw(10, 5).pixels());
    }

    @Test
    void draw_tenTimesAsManyAsClasses_isBalanced() {
        for (ImageSet images :
                new ImageSet[] {SyntheticDigits.draw(100, 3), SyntheticShapes.draw(100, 3)}) {
            int[] counts = new int[10];
            for (int i = 0; i < images.size(); i++) {
                counts[images.label(i)]++;
            }
            assertThat(counts).containsOnly(10);
        }
    }

    private static long checksum(ImageSet images) {
        CRC32 crc = new CRC32();
        crc.update(images.pixels());
        return crc.getValue();
    }
}
