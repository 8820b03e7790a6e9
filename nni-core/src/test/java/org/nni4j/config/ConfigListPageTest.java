package org.nni4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What docs/config-list.md shows is what happens. */
class ConfigListPageTest {

    private static final Pattern EXAMPLE =
            Pattern.compile("```json\n(.*?)```\n(\n```text\n(.*?)\n```)?", Pattern.DOTALL);

    @TestFactory
    Stream<DynamicTest> page_examples_readOrFailAsShown() throws IOException {
        String page = page();
        return EXAMPLE.matcher(page)
                .results()
                .map(
                        example ->
                                dynamicTest(
                                        "line "
                                                + page.substring(0, example.start())
                                                        .lines()
                                                        .count(),
                                        () -> check(example)));
    }

    @Test
    void page_everyKey_isDescribed() throws IOException {
        String page = page();

        assertThat(EntryKey.ALL).allSatisfy(key -> assertThat(page).contains("| `" + key + "` |"));
    }

    private static void check(MatchResult example) {
        String json = example.group(1);
        String message = example.group(3);
        if (message == null) {
            assertThat(ConfigList.fromJson(json).entries()).isNotEmpty();
        } else {
            assertThatThrownBy(() -> ConfigList.fromJson(json))
                    .isInstanceOf(ConfigException.class)
                    .hasMessage(message);
        }
    }

    private static String page() throws IOException {
        // Surefire runs in the module's folder, an IDE perhaps in the project's.
        Path file =
                Stream.of("../docs/config-list.md", "docs/config-list.md")
                        .map(Path::of)
                        .filter(Files::exists)
                        .findFirst()
                        .orElseThrow();
        return Files.readString(file);
    }
}
