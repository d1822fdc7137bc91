package dev.sluice.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.EvaluationResult;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Holds the rules of [Architecture] against the product's classes, and against classes that break them.
class ArchitectureTest {
    private static final String PRODUCT = "dev.sluice";
    private static final String BROKEN = "dev.sluice.architecture.broken";

    /// Which class below [#BROKEN] breaks which rule; every rule is broken by exactly these.
    private static final Map<String, Set<String>> BREACHES = Map.ofEntries(
            Map.entry("io knows no floor above it", Set.of("io.linux.UsesLog")),
            Map.entry("log knows no floor above it", Set.of("log.UsesBroker")),
            Map.entry("broker knows no floor above it", Set.of("broker.UsesCli")),
            Map.entry(
                    "io.linux uses no package of io but those before it in the line",
                    Set.of("io.linux.UsesMemory", "io.linux.UsesCache")),
            Map.entry(
                    "io.memory uses no package of io but those before it in the line",
                    Set.of("io.memory.UsesTransfer")),
            Map.entry(
                    "io.transfer uses no package of io but those before it in the line",
                    Set.of("io.transfer.UsesLoop")),
            Map.entry("io.loop uses no package of io but those before it in the line", Set.of("io.loop.UsesCache")),
            // Another floor is not the JDK either.
            Map.entry("io depends on the JDK alone", Set.of("io.linux.UsesALibrary", "io.linux.UsesLog")),
            Map.entry("only io.linux calls native code", Set.of("io.memory.CallsNative")),
            Map.entry("only io.linux knows raw addresses", Set.of("io.memory.KnowsAddresses")),
            Map.entry("log knows nothing of Kafka's classes", Set.of("log.UsesKafka")),
            Map.entry(
                    "only broker.coordinator uses Kafka's server-side classes",
                    Set.of("broker.api.UsesKafkasServer", "cli.UsesKafkasServer")));

    private static JavaClasses product;
    private static JavaClasses broken;

    @BeforeAll
    static void importClasses() {
        product = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages(Architecture.packages(PRODUCT));
        broken = new ClassFileImporter().importPackages(BROKEN);
    }

    static Stream<String> rules() {
        return Architecture.rules(PRODUCT).keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("rules")
    void holds(String rule) {
        Architecture.rules(PRODUCT).get(rule).check(product);
    }

    @ParameterizedTest
    @MethodSource("rules")
    void findsEveryBreachAndNothingElse(String rule) {
        EvaluationResult result = Architecture.rules(BROKEN).get(rule).evaluate(broken);

        Set<String> found = new TreeSet<>();
        result.handleViolations((objects, _) ->
                objects.forEach(object -> found.add(originOf(object).getName().substring(BROKEN.length() + 1))));
        assertThat(found).isEqualTo(BREACHES.get(rule));
    }

    @Test
    void looksAtEveryFloorAndEveryPackageOfTheLine() {
        Set<String> packages = product.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());

        assertThat(packages).contains("dev.sluice.cli");
        assertThat(packages).anyMatch(name -> name.startsWith("dev.sluice.log"));
        assertThat(packages).anyMatch(name -> name.startsWith("dev.sluice.broker"));
        Architecture.LINE_OF_IO.forEach(name -> assertThat(packages).contains("dev.sluice.io." + name));
    }

    private static JavaClass originOf(Object object) {
        return switch (object) {
            case Dependency dependency -> dependency.getOriginClass();
            case JavaAccess<?> access -> access.getOriginOwner();
            default -> throw new AssertionError("a violation of a kind not seen before: " + object);
        };
    }
}
