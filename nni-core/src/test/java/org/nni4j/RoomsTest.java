package org.nni4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.nni4j.fixtures.RoomTable;

/** The rooms of nni-core and the doors between them, as docs/architecture.md lists them. */
class RoomsTest {

    private static final JavaClasses CORE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .withImportOption(location -> !location.contains("nni-fixtures"))
                    .importPackages("org.nni4j");

    @TestFactory
    Stream<DynamicTest> room_entersOnlyItsDoors() throws IOException {
        RoomTable table = RoomTable.read("room");
        return table.rooms().stream()
                .map(room -> dynamicTest(room.name(), () -> table.checkDoors(room, CORE)));
    }

    @Test
    void everyPackage_isARoom() throws IOException {
        RoomTable.read("room").checkEveryPackageIsARoom(CORE);
    }

    @Test
    void rooms_haveNoCycles() {
        slices().matching("org.nni4j.(*)..").should().beFreeOfCycles().check(CORE);
    }

    @Test
    void noRoom_isAJunkDrawer() {
        RoomTable.checkNames(CORE);
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
}
