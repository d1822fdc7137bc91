package dev.sluice.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.support.ChildJvm;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every program of docs/EXAMPLES.md compiles and prints what the page says, in a JVM that has our classes and the
/// JDK's.
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ExamplesTest {
    private static final Pattern EXAMPLE =
            Pattern.compile("```java\\n(.*?)```\\n\\n```text\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("^class (\\w+)", Pattern.MULTILINE);

    @TempDir
    Path folder;

    /// @param name   of the class with its main method
    /// @param prints what the page says
    record Example(String name, String source, String prints) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Example> examples() throws IOException {
        Matcher matcher = EXAMPLE.matcher(Files.readString(Path.of("..", "docs", "EXAMPLES.md")));
        List<Example> examples = new ArrayList<>();
        while (matcher.find()) {
            Matcher name = CLASS.matcher(matcher.group(1));
            assertThat(name.find()).isTrue();
            examples.add(new Example(name.group(1), matcher.group(1), matcher.group(2)));
        }
        assertThat(examples).hasSizeGreaterThan(5);
        return examples.stream();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void printsWhatThePageSays(Example example) throws Exception {
        Path source = Files.writeString(folder.resolve(example.name() + ".java"), example.source());
        Path classes = Files.createDirectory(folder.resolve("classes"));
        Path main = ChildJvm.ownClasses().stream()
                .filter(path -> path.endsWith("classes"))
                .findFirst()
                .orElseThrow();
        compile(source, classes, main);
        Path scratch = Files.createDirectory(folder.resolve("scratch"));
        // Redirected to a file, so that nothing is left open in this process, whose descriptors others count.
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        main + ":" + classes,
                        example.name(),
                        scratch.toString())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        process.waitFor();
        String printed = Files.readString(output);
        assertThat(printed).isEqualTo(example.prints());
    }

    private static void compile(Path source, Path classes, Path main) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean ok = compiler.getTask(
                            messages,
                            files,
                            null,
                            List.of("-d", classes.toString(), "-cp", main.toString()),
                            null,
                            files.getJavaFileObjects(source))
                    .call();
            assertThat(ok).as(messages.toString()).isTrue();
        }
    }
}
