package dev.sluice.bench.methods;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// docs/METHODS.md and its Chinese edition tell the same, and what they name exists.
@Timeout(180)
class MethodsPagesTest {
    private static final Path ROOT = Path.of("..");
    private static final Path DOCS = ROOT.resolve("docs");
    private static final Pattern CONSOLE = Pattern.compile("```console\n(.*?)```", Pattern.DOTALL);
    private static final Pattern TABLE =
            Pattern.compile("(<!-- measured [^\n]* -->)\n(.*?)<!-- /measured -->", Pattern.DOTALL);
    private static final Pattern CODE = Pattern.compile("`([^`\n]+)`");
    private static final Pattern NUMBER = Pattern.compile("\\d[\\d.,]*");

    private static String english;
    private static String chinese;

    @BeforeAll
    static void read() throws IOException {
        english = Files.readString(DOCS.resolve("METHODS.md"));
        chinese = Files.readString(DOCS.resolve("METHODS.zh.md"));
    }

    private static List<String> found(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(match -> match.group(match.groupCount()))
                .toList();
    }

    private static List<String> lines(String text, String start) {
        return text.lines().filter(line -> line.startsWith(start)).toList();
    }

    @Test
    void theyHaveTheSameHeadings() {
        Pattern outline = Pattern.compile("(?m)^(#+ (?:\\d+\\.)?)");
        assertThat(found(outline, chinese)).isEqualTo(found(outline, english)).hasSizeGreaterThan(18);
    }

    @Test
    void theyShowTheSameCommandsWithTheSameOutput() {
        assertThat(found(CONSOLE, chinese)).isEqualTo(found(CONSOLE, english)).hasSizeGreaterThan(12);
    }

    @Test
    void theyHaveTheSameTablesOfFigures() {
        List<MatchResult> ours = TABLE.matcher(english).results().toList();
        List<MatchResult> theirs = TABLE.matcher(chinese).results().toList();
        assertThat(theirs.stream().map(table -> table.group(1)))
                .containsExactlyElementsOf(
                        ours.stream().map(table -> table.group(1)).toList());
        for (int i = 0; i < ours.size(); i++) {
            assertThat(found(NUMBER, theirs.get(i).group(2)))
                    .as(ours.get(i).group(1))
                    .isEqualTo(found(NUMBER, ours.get(i).group(2)))
                    .isNotEmpty();
        }
    }

    /// What is named in code is the same wherever the same is said: rows of tables, ways to see it, classes.
    @Test
    void theyNameTheSameThings() {
        sameCode(lines(english, "| "), lines(chinese, "| "));
        sameCode(labelled(english, "Measured|See it|Class|In the broker"), labelled(chinese, "实测|亲眼看|类|broker 里"));
    }

    private static List<String> labelled(String page, String labels) {
        return Pattern.compile("\n\n")
                .splitAsStream(page)
                .filter(paragraph -> paragraph.matches("(?s)\\*\\*(" + labels + ")\\*\\*.*"))
                .toList();
    }

    private static void sameCode(List<String> ours, List<String> theirs) {
        assertThat(theirs).hasSameSizeAs(ours).hasSizeGreaterThan(60);
        for (int i = 0; i < ours.size(); i++) {
            assertThat(found(CODE, theirs.get(i)).stream().sorted())
                    .as(ours.get(i))
                    .containsExactlyElementsOf(
                            found(CODE, ours.get(i)).stream().sorted().toList());
        }
    }

    @Test
    void theClassesAndTestsThatTheyNameExist() throws IOException {
        List<Path> sources;
        try (Stream<Path> files = Stream.of("io", "log", "cli")
                .map(module -> ROOT.resolve(module).resolve("src"))
                .flatMap(MethodsPagesTest::walk)) {
            sources = files.toList();
        }
        List<String> named = new ArrayList<>();
        lines(english, "**Class**").forEach(line -> named.addAll(found(CODE, line)));
        found(CODE, english).stream()
                .filter(code -> code.matches("[A-Z]\\w+Test(\\.\\w+)?"))
                .forEach(named::add);
        for (String name : named) {
            if (!name.matches("(\\w+\\.)?[A-Z]\\w*[a-z]\\w*(\\.[a-z]\\w+)?")) {
                continue; // a method, an option, a module
            }
            String[] words = name.split("\\.");
            int at = Character.isUpperCase(words[0].charAt(0)) ? 0 : 1;
            String file = (at == 1 ? "/" + words[0] + "/" : "/") + words[at] + ".java";
            List<Path> matching = sources.stream()
                    .filter(source -> source.toString().endsWith(file))
                    .toList();
            assertThat(matching).as(name).isNotEmpty();
            if (words.length > at + 1) {
                assertThat(Files.readString(matching.getFirst())).as(name).contains(" " + words[at + 1] + "(");
            }
        }
        assertThat(named).hasSizeGreaterThan(60);
    }

    private static Stream<Path> walk(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList().stream();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void theirLinksLeadSomewhere() {
        Pattern link = Pattern.compile("\\]\\(([^)#]*)(#[^)]*)?\\)");
        for (String page : List.of(english, chinese)) {
            link.matcher(page).results().forEach(match -> {
                if (!match.group(1).isEmpty()) {
                    assertThat(DOCS.resolve(match.group(1))).as(match.group()).exists();
                } else {
                    assertThat(anchors(page)).as(match.group()).contains(match.group(2));
                }
            });
        }
    }

    /// As GitHub makes them: lower case, blanks become hyphens, all but letters, digits, hyphens and underlines
    /// goes.
    private static List<String> anchors(String page) {
        return lines(page, "#").stream()
                .map(heading -> "#"
                        + heading.replaceFirst("^#+ ", "")
                                .toLowerCase(Locale.ROOT)
                                .replaceAll("[^\\p{L}\\p{N} _-]", "")
                                .replace(' ', '-'))
                .toList();
    }

    @Test
    void noColumnOfTheLedgerIsMissing() {
        for (String page : List.of(english, chinese)) {
            String ledger = page.substring(page.lastIndexOf("\n## "));
            List<String> rows = lines(ledger, "| ").stream()
                    .filter(row -> !row.contains("| | |"))
                    .toList();
            assertThat(rows).hasSizeGreaterThan(50).allMatch(row -> row.split(" \\| ").length == 3);
            assertThat(rows.subList(1, rows.size()))
                    .allMatch(row -> row.split(" \\| ")[1].contains("**"), "has a verdict");
        }
    }
}
