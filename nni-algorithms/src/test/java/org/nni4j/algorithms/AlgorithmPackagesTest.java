package org.nni4j.algorithms;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.config.SettingKey;

/** Each algorithm is a closed package with two public doors: its provider and its façade. */
class AlgorithmPackagesTest {

    private static final JavaClasses ALGORITHMS =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("org.nni4j.algorithms");

    @Test
    void algorithms_doNotKnowEachOther() {
        slices().matching("org.nni4j.algorithms.(*)..")
                .should()
                .notDependOnEachOther()
                .check(ALGORITHMS);
    }

    @Test
    void publicTypes_areProvidersAndFacades() {
        classes()
                .that()
                .arePublic()
                .and()
                .areTopLevelClasses()
                .should()
                .haveNameMatching("org\\.nni4j\\.algorithms\\.[a-z]+\\.\\w+(Algorithm|Quantizer)")
                .check(ALGORITHMS);
    }

    @Test
    void typesNamedAlgorithm_areProviders() {
        classes()
                .that()
                .haveSimpleNameEndingWith("Algorithm")
                .should()
                .implement(QuantizationAlgorithm.class)
                .check(ALGORITHMS);
    }

    /** A setting that none understands could only be an error. */
    @Test
    void everySettingOfConfigLists_isUnderstoodBySome() {
        Set<String> understood =
                ServiceLoader.load(QuantizationAlgorithm.class).stream()
                        .flatMap(provider -> provider.get().capabilities().settings().stream())
                        .collect(Collectors.toSet());
        assertThat(SettingKey.values()).extracting(SettingKey::key).isSubsetOf(understood);
    }

    @Test
    void serviceFile_listsEveryAlgorithm() {
        List<String> written =
                ALGORITHMS.that(assignableTo(QuantizationAlgorithm.class)).stream()
                        .filter(c -> !c.getModifiers().contains(JavaModifier.ABSTRACT))
                        .map(JavaClass::getName)
                        .toList();
        assertThat(ServiceLoader.load(QuantizationAlgorithm.class).stream())
                .extracting(p -> p.type().getName())
                .filteredOn(name -> name.startsWith("org.nni4j.algorithms."))
                .containsExactlyInAnyOrderElementsOf(written)
                .isNotEmpty();
    }

    @Test
    void nothing_prints() {
        NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(ALGORITHMS);
    }
}
