package org.nni4j;

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

/**
 * The rooms of nni-core and the doors between them; docs/architecture.md shows the same picture.
 */
class RoomsTest {

    private static final JavaClasses CORE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .withImportOption(location -> !location.contains("nni-fixtures"))
                    .importPackages("org.nni4j");

    /**
     * A package, and the packages it may enter.
     *
     * @param name without {@code org.nni4j}
     * @param doors names of other rooms
     */
    private record Room(String name, List<String> doors) {

        String javaPackage() {
            return "org.nni4j." + name;
        }
    }

    private static Room room(String name, String doors) {
        return new Room(name, Splitter.on(' ').omitEmptyStrings().splitToList(doors));
    }

    /** Later rooms stand on earlier ones. */
    private static final List<Room> ROOMS =
            List.of(
                    room("quantization", ""),
                    room("config", "quantization"),
                    room("block", ""),
                    room("memory", ""),
                    room("layer", ""),
                    room("graph", "layer"),
                    room("observer", "quantization"),
                    room("calibration", "quantization config"),
                    room("fakequant", "quantization layer graph observer calibration"),
                    room("checkpoint", "config fakequant"),
                    room("algorithm", "quantization config observer calibration fakequant"),
                    room("placement", "quantization config layer graph algorithm"),
                    room(
                            "compression",
                            "quantization config layer graph observer calibration fakequant"
                                    + " checkpoint algorithm placement"));

    @TestFactory
    Stream<DynamicTest> room_entersOnlyItsDoors() {
        return ROOMS.stream().map(r -> dynamicTest(r.name(), () -> entersOnlyItsDoors(r)));
    }

    private static void entersOnlyItsDoors(Room room) {
        String[] closed =
                ROOMS.stream()
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
                .check(CORE);
    }

    @Test
    void everyPackage_isARoom() {
        String[] rooms = ROOMS.stream().map(Room::javaPackage).toArray(String[]::new);
        classes().should().resideInAnyPackage(rooms).check(CORE);
    }

    @Test
    void rooms_haveNoCycles() {
        slices().matching("org.nni4j.(*)..").should().beFreeOfCycles().check(CORE);
    }

    @Test
    void noRoom_isAJunkDrawer() {
        noClasses()
                .should()
                .haveNameMatching(".*(Util|Utils|Helper|Helpers|Manager|Common|Misc|Impl)")
                .check(CORE);
    }

    @Test
    void configAndCalibration_areValues() {
        classes()
                .that()
                .resideInAnyPackage("org.nni4j.config", "org.nni4j.calibration")
                .and()
                .arePublic()
                .and()
                .haveSimpleNameNotEndingWith("Builder")
                .should()
                .haveOnlyFinalFields()
                .check(CORE);
    }

    @Test
    void gson_isKnownToReadersOfFilesOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackages("org.nni4j.config", "org.nni4j.calibration")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("com.google.gson..")
                .check(CORE);
    }

    @Test
    void pytorchEngine_isKnownToTheKernelsOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackage("org.nni4j.quantization")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.djl.pytorch..")
                .check(CORE);
    }

    @Test
    void nativeCalls_areMadeByTheMemoryOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackage("org.nni4j.memory")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("com.sun.jna..")
                .check(CORE);
    }

    @Test
    void nothing_prints() {
        NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(CORE);
    }

    @Test
    void architecturePage_showsTheSameRooms() throws IOException {
        Path page = Path.of("..", "docs", "architecture.md");
        assertThat(roomsOf(Files.readAllLines(page))).containsExactlyElementsOf(ROOMS);
    }

    /** Reads the table headed {@code | room | question | may enter |}. */
    private static List<Room> roomsOf(List<String> lines) {
        Splitter cells = Splitter.on('|').trimResults();
        return lines.stream()
                .dropWhile(line -> !line.matches("\\| *room *\\|.*\\| *may enter *\\|"))
                .skip(2)
                .takeWhile(line -> line.startsWith("|"))
                .map(line -> cells.splitToList(line.replace("`", "")))
                .map(row -> room(row.get(1), row.get(3).replace(",", "").replace("–", "")))
                .toList();
    }
}
