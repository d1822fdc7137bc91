package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The tests that a page names as holding a promise are there.
@Timeout(60)
class NamedTestsTest {
    private static final Path ROOT = Path.of("..");
    /// A class, a method of it, or a method of one of the classes that the line names before: `theControl…` is the
    /// beginning of its name.
    private static final Pattern NAME = Pattern.compile("`(\\w+Test)(?:\\.([a-z]\\w*…?))?`|`([a-z]+[A-Z]\\w{8,}…?)`");

    @ParameterizedTest
    @ValueSource(strings = {"GUARANTEES.md", "RELIABILITY-TESTS.md", "ARCHITECTURE.md"})
    void everyTestThatAPageNamesIsThere(String page) throws IOException {
        List<String> lines = Files.readAllLines(ROOT.resolve("docs").resolve(page));

        assertThat(missing(lines, sources())).isEmpty();
    }

    @Test
    void aTestThatIsNotThereIsFound() throws IOException {
        assertThat(missing(
                        List.of("`NamedTestsTest`, `NamedTestsTest.aTestThatIsNotThereIsFound`, `everyTestThatAPage…`"),
                        sources()))
                .isEmpty();
        assertThat(missing(List.of("`NamedTestsTest.renamedLongAgo`; `everyTestThatIsGone…`; `GoneTest`"), sources()))
                .containsExactly("renamedLongAgo", "everyTestThatIsGone", "GoneTest");
    }

    private static List<String> missing(List<String> lines, Map<String, String> sources) {
        List<String> missing = new ArrayList<>();
        for (String line : lines) {
            StringBuilder named = new StringBuilder();
            for (Matcher name = NAME.matcher(line); name.find(); ) {
                String test = name.group(1);
                if (test != null) {
                    String source = sources.get(test);
                    if (source == null) {
                        missing.add(test);
                        continue;
                    }
                    named.append(source);
                }
                String method = test == null ? name.group(3) : name.group(2);
                if (method != null && !named.isEmpty() && !has(named, method)) {
                    missing.add(method.replace("…", ""));
                }
            }
        }
        return missing;
    }

    private static boolean has(CharSequence source, String method) {
        String name = method.endsWith("…") ? method.substring(0, method.length() - 1) + "\\w*" : method;
        return Pattern.compile("void " + name + "\\(").matcher(source).find();
    }

    /// All test classes by name.
    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new HashMap<>();
        try (Stream<Path> modules = Files.list(ROOT)) {
            for (Path tests : modules.map(each -> each.resolve("src").resolve("test"))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> files = Files.walk(tests)) {
                    for (Path file : files.filter(each -> each.toString().endsWith("Test.java"))
                            .toList()) {
                        String name = String.valueOf(file.getFileName()).replace(".java", "");
                        sources.merge(name, Files.readString(file), String::concat);
                    }
                }
            }
        }
        return sources;
    }
}
