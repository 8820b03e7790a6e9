package org.nni4j.export;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.google.common.base.Splitter;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The rooms of nni-export, as the second table of docs/architecture.md lists them. */
class ExportRoomsTest {

    private static final JavaClasses EXPORT =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("org.nni4j.export");

    /**
     * A package, and the packages it may enter.
     *
     * @param name in the table: {@code export} or {@code export.<name>}
     * @param doors names of other rooms
     */
    private record Room(String name, List<String> doors) {

        String javaPackage() {
            return "org.nni4j." + name;
        }
    }

    @TestFactory
    Stream<DynamicTest> room_entersOnlyItsDoors() throws IOException {
        List<Room> rooms = rooms();
        return rooms.stream().map(r -> dynamicTest(r.name(), () -> entersOnlyItsDoors(r, rooms)));
    }

    private static void entersOnlyItsDoors(Room room, List<Room> rooms) {
        String[] closed =
                rooms.stream()
                        .filter(other -> !other.equals(room))
                        .filter(other -> !room.doors().contains(other.name()))
                        .map(Room::javaPackage)
                        .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(room.javaPackage())
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(closed)
                .allowEmptyShould(true)
                .check(EXPORT);
    }

    @Test
    void everyPackage_isARoom() throws IOException {
        String[] rooms = rooms().stream().map(Room::javaPackage).toArray(String[]::new);
        assertThat(rooms).isNotEmpty();
        classes().should().resideInAnyPackage(rooms).check(EXPORT);
    }

    @Test
    void rooms_haveNoCycles() {
        slices().matching("org.nni4j.export.(*)..").should().beFreeOfCycles().check(EXPORT);
    }

    @Test
    void protobuf_isKnownToTheWriterOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackage("org.nni4j.export.onnx")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("ai.onnx.proto..", "com.google.protobuf..")
                .check(EXPORT);
    }

    @Test
    void algorithms_areNotKnown() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.nni4j.algorithms..")
                .check(EXPORT);
    }

    @Test
    void noRoom_isAJunkDrawer() {
        noClasses()
                .should()
                .haveNameMatching(".*(Util|Utils|Helper|Helpers|Manager|Common|Misc|Impl)")
                .check(EXPORT);
    }

    @Test
    void nothing_prints() {
        NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(EXPORT);
    }

    /** Reads the table headed {@code | room of nni-export | question | may enter |}. */
    private static List<Room> rooms() throws IOException {
        Splitter cells = Splitter.on('|').trimResults();
        Splitter words = Splitter.onPattern("[ ,–]+").omitEmptyStrings();
        return Files.readAllLines(Path.of("..", "docs", "architecture.md")).stream()
                .dropWhile(line -> !line.startsWith("| room of nni-export |"))
                .skip(2)
                .takeWhile(line -> line.startsWith("|"))
                .map(line -> cells.splitToList(line.replace("`", "")))
                .map(row -> new Room(row.get(1), words.splitToList(row.get(3))))
                .toList();
    }
}
