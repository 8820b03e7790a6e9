package org.nni4j.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.Gson;
import org.junit.jupiter.api.Test;

/** Laws over random valid lists: the three forms are one. */
class ConfigListRoundTripTest {

    private static final int LISTS = 200;

    @Test
    void fromMaps_anyList_equalsJava() {
        for (long seed = 0; seed < LISTS; seed++) {
            RandomConfig config = RandomConfig.of(seed);
            assertThat(ConfigList.fromMaps(config.maps()))
                    .as("seed %d", seed)
                    .isEqualTo(config.java());
        }
    }

    @Test
    void fromJson_anyList_equalsJava() {
        Gson gson = new Gson();
        for (long seed = 0; seed < LISTS; seed++) {
            RandomConfig config = RandomConfig.of(seed);
            assertThat(ConfigList.fromJson(gson.toJson(config.maps())))
                    .as("seed %d", seed)
                    .isEqualTo(config.java());
        }
    }

    @Test
    void toJson_anyList_readsBackEqual() {
        for (long seed = 0; seed < LISTS; seed++) {
            ConfigList list = RandomConfig.of(seed).java();
            ConfigList back = ConfigList.fromJson(list.toJson());
            assertThat(back).as("seed %d", seed).isEqualTo(list);
            assertThat(back.toJson()).as("seed %d", seed).isEqualTo(list.toJson());
        }
    }

    @Test
    void toMaps_anyList_readsBackEqual() {
        for (long seed = 0; seed < LISTS; seed++) {
            ConfigList list = RandomConfig.of(seed).java();
            assertThat(ConfigList.fromMaps(list.toMaps())).as("seed %d", seed).isEqualTo(list);
        }
    }
}
