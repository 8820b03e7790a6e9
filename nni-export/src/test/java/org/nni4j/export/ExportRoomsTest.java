package org.nni4j.export;

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

/** The rooms of nni-export, as the second table of docs/architecture.md lists them. */
class ExportRoomsTest {

    private static final String HEADING = "room of nni-export";

    private static final JavaClasses EXPORT =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("org.nni4j.export");

    @TestFactory
    Stream<DynamicTest> room_entersOnlyItsDoors() throws IOException {
        RoomTable table = RoomTable.read(HEADING);
        return table.rooms().stream()
                .map(room -> dynamicTest(room.name(), () -> table.checkDoors(room, EXPORT)));
    }

    @Test
    void everyPackage_isARoom() throws IOException {
        RoomTable.read(HEADING).checkEveryPackageIsARoom(EXPORT);
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
        RoomTable.checkNames(EXPORT);
    }

    @Test
    void nothing_prints() {
        NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(EXPORT);
    }
}
