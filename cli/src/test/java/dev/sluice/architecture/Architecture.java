package dev.sluice.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Which part of the product may know which: each floor stands on those below and knows nothing of those above.
///
/// The rules are made for a root package, so that they can be held against the product and, as a control, against the
/// classes below `dev.sluice.architecture.broken`, each of which breaks one.
final class Architecture {
    /// From the ground up.
    static final List<String> FLOORS = List.of("io", "log", "broker", "cli");

    /// The packages of io that form a line; each may use those before it. Other packages of io are siblings: they
    /// may use the line, and nothing in the line uses them.
    static final List<String> LINE_OF_IO = List.of("linux", "memory", "transfer", "loop");

    private Architecture() {}

    /// All rules for the packages below `root`, by a name that says what holds.
    static Map<String, ArchRule> rules(String root) {
        Map<String, ArchRule> rules = new LinkedHashMap<>();
        for (int floor = 0; floor < FLOORS.size() - 1; floor++) {
            rules.put(
                    FLOORS.get(floor) + " knows no floor above it",
                    noClasses()
                            .that()
                            .resideInAPackage(below(root, FLOORS.get(floor)))
                            .should()
                            .dependOnClassesThat()
                            .resideInAnyPackage(FLOORS.subList(floor + 1, FLOORS.size()).stream()
                                    .map(name -> below(root, name))
                                    .toArray(String[]::new)));
        }
        for (int place = 0; place < LINE_OF_IO.size(); place++) {
            String name = LINE_OF_IO.get(place);
            String[] allowed = LINE_OF_IO.subList(0, place + 1).stream()
                    .map(one -> below(root, "io." + one))
                    .toArray(String[]::new);
            rules.put(
                    "io." + name + " uses no package of io but those before it in the line",
                    classes()
                            .that()
                            .resideInAPackage(below(root, "io." + name))
                            .should()
                            .onlyDependOnClassesThat(
                                    not(resideInAPackage(below(root, "io"))).or(resideInAnyPackage(allowed)))
                            // Not every package of the line has to be there before its first class is written.
                            .allowEmptyShould(true));
        }
        rules.put(
                "io depends on the JDK alone",
                classes()
                        .that()
                        .resideInAPackage(below(root, "io"))
                        .should()
                        .onlyDependOnClassesThat(resideInAnyPackage(
                                "", // primitive types
                                below(root, "io"),
                                "java..",
                                "javax.crypto..",
                                "jdk..",
                                "sun.misc..",
                                "org.jspecify.annotations..")));
        rules.put(
                "only io.linux calls native code",
                noClasses()
                        .that()
                        .resideInAPackage(root + "..")
                        .and()
                        .resideOutsideOfPackage(below(root, "io.linux"))
                        .should()
                        .dependOnClassesThat(belongToAnyOf(Linker.class, SymbolLookup.class)));
        rules.put(
                "only io.linux knows raw addresses",
                noClasses()
                        .that()
                        .resideInAPackage(root + "..")
                        .and()
                        .resideOutsideOfPackage(below(root, "io.linux"))
                        .should()
                        .callCodeUnitWhere(target(owner(assignableTo(MemorySegment.class)))
                                .and(target(nameMatching("address|ofAddress|reinterpret")))));
        rules.put(
                "log knows nothing of Kafka's classes",
                noClasses()
                        .that()
                        .resideInAPackage(below(root, "log"))
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage("org.apache.kafka.."));
        rules.put(
                "only broker.coordinator uses Kafka's server-side classes",
                noClasses()
                        .that()
                        .resideInAPackage(root + "..")
                        .and()
                        .resideOutsideOfPackage(below(root, "broker.coordinator"))
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(
                                "org.apache.kafka.coordinator..",
                                "org.apache.kafka.server..",
                                "org.apache.kafka.image..",
                                "org.apache.kafka.metadata..",
                                "org.apache.kafka.storage..",
                                "org.apache.kafka.controller..",
                                "org.apache.kafka.raft.."));
        return rules;
    }

    /// The packages of all floors.
    static String[] packages(String root) {
        return FLOORS.stream().map(floor -> root + "." + floor).toArray(String[]::new);
    }

    private static String below(String root, String name) {
        return root + "." + name + "..";
    }
}
