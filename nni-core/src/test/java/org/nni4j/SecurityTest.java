package org.nni4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nothing that reads a file can be made to run what the file says. */
class SecurityTest {

    private static final JavaClasses CORE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("org.nni4j");

    /**
     * Java's own deserialization in all its forms, Gson's binding to classes, XML, archives with
     * paths inside, scripts and processes.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "java.io.ObjectInputStream",
                "java.io.ObjectOutputStream",
                "java.beans.XMLDecoder",
                "com.google.gson.Gson",
                "com.google.gson.GsonBuilder",
                "javax.xml.parsers.DocumentBuilderFactory",
                "javax.xml.parsers.SAXParserFactory",
                "javax.xml.stream.XMLInputFactory",
                "java.util.zip.ZipInputStream",
                "java.util.zip.ZipFile",
                "javax.script.ScriptEngine",
                "java.lang.ProcessBuilder",
                "java.net.URL",
                "java.net.Socket"
            })
    void library_neverUses(String type) {
        noClasses().should().dependOnClassesThat().haveFullyQualifiedName(type).check(CORE);
    }
}
