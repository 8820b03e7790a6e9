package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the pages show: every {@code java} block compiles, every link leads to a file, and README.md
 * opens with two commands.
 */
class DocumentedCodeTest {

    private static final Path ROOT = Path.of("..");
    private static final Pattern TYPE =
            Pattern.compile("(\\w+ )*(class|interface|record|enum) (\\w+).*");

    /** A link to a file of the project, with its place in the page cut off. */
    private static final Pattern LINK = Pattern.compile("]\\(([^)#:]+)(#[^)]*)?\\)");

    @TempDir Path folder;

    /**
     * A fenced block of a page.
     *
     * @param page the file
     * @param language what follows the opening fence
     * @param firstLine number of the first line within, from 1
     * @param lines the text between the fences
     */
    private record Block(Path page, String language, int firstLine, List<String> lines) {

        String place() {
            return ROOT.relativize(page) + ":" + firstLine;
        }

        /** The name of the first type it declares, if any. */
        Optional<String> type() {
            return lines.stream()
                    .map(TYPE::matcher)
                    .filter(Matcher::matches)
                    .map(matcher -> matcher.group(3))
                    .findFirst();
        }

        /** The block as a source file: as it is if it declares a type, else as a method's body. */
        String source() {
            if (type().isPresent()) {
                return String.join("\n", lines);
            }
            Map<Boolean, String> imports =
                    lines.stream()
                            .collect(
                                    Collectors.partitioningBy(
                                            line -> line.startsWith("import "),
                                            Collectors.joining("\n")));
            return imports.get(true)
                    + "\nclass Snippet { void run() throws Exception {\n"
                    + imports.get(false)
                    + "\n}}";
        }
    }

    @TestFactory
    Stream<DynamicTest> javaBlock_compiles() throws IOException {
        return pages().stream()
                .flatMap(page -> blocks(page).stream())
                .filter(block -> block.language().equals("java"))
                .map(block -> dynamicTest(block.place(), () -> compile(block)));
    }

    @Test
    void readme_opensWithTwoCommands() {
        assertThat(blocks(ROOT.resolve("README.md")).get(0).lines())
                .hasSize(2)
                .noneMatch(String::isBlank);
    }

    @Test
    void readme_showsJava() {
        assertThat(blocks(ROOT.resolve("README.md"))).extracting(Block::language).contains("java");
    }

    @Test
    void links_leadSomewhere() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path page : pages()) {
            Matcher link = LINK.matcher(Files.readString(page));
            while (link.find()) {
                if (!Files.exists(page.resolveSibling(link.group(1)))) {
                    broken.add(ROOT.relativize(page) + ": " + link.group(1));
                }
            }
        }
        assertThat(broken).isEmpty();
    }

    private void compile(Block block) throws IOException {
        DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
        var compiler = ToolProvider.getSystemJavaCompiler();
        Path source = folder.resolve(block.type().orElse("Snippet") + ".java");
        Files.writeString(source, block.source());
        List<String> options =
                List.of(
                        "-proc:none",
                        "-d",
                        folder.toString(),
                        "-cp",
                        System.getProperty("java.class.path"));
        try (var files = compiler.getStandardFileManager(problems, null, StandardCharsets.UTF_8)) {
            compiler.getTask(null, files, problems, options, null, files.getJavaFileObjects(source))
                    .call();
        }
        assertThat(problems.getDiagnostics())
                .filteredOn(problem -> problem.getKind() == Diagnostic.Kind.ERROR)
                .as("%s\n%s", block.place(), block.source())
                .isEmpty();
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> top = Files.list(ROOT);
                Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
            return Stream.concat(top, docs)
                    .filter(p -> p.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    private static List<Block> blocks(Path page) {
        List<Block> blocks = new ArrayList<>();
        List<String> lines = read(page);
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("```")) {
                int end = i + 1;
                while (!lines.get(end).startsWith("```")) {
                    end++;
                }
                String language = lines.get(i).substring(3).strip();
                blocks.add(new Block(page, language, i + 2, lines.subList(i + 1, end)));
                i = end;
            }
        }
        return blocks;
    }

    private static List<String> read(Path page) {
        try {
            return Files.readAllLines(page);
        } catch (IOException e) {
            throw new UncheckedIOException(page.toString(), e);
        }
    }
}
