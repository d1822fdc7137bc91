package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The program of docs/formats/local-reading.md compiles and prints what the page says.
@Timeout(180)
class LocalExampleTest {
    private static final Path PAGE = Path.of("..", "docs", "formats", "local-reading.md");
    private static final Pattern EXAMPLE =
            Pattern.compile("```java\\n(.*?class (\\w+).*?)```\\n\\n```text\\n(.*?)```", Pattern.DOTALL);

    @TempDir
    Path folder;

    @Test
    void theExamplePrintsWhatThePageSays() throws Exception {
        Matcher example = EXAMPLE.matcher(Files.readString(PAGE));
        assertThat(example.find()).isTrue();
        String name = example.group(2);
        Path source = Files.writeString(folder.resolve(name + ".java"), example.group(1));
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        int compiled = compiler.run(
                null,
                messages,
                messages,
                "-d",
                folder.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                source.toString());
        assertThat(compiled).as(messages.toString(StandardCharsets.UTF_8)).isZero();

        try (TestBroker broker = TestBroker.start(folder.resolve("data"));
                TestClient client = broker.client()) {
            TopicRef topic = client.create("greetings", 1);
            client.append(topic, 0, Batches.of("hello", "world").bytes());
            Path output = folder.resolve("output");
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx64m",
                            "--enable-native-access=ALL-UNNAMED",
                            "-cp",
                            folder + ":" + System.getProperty("java.class.path"),
                            name,
                            broker.broker().localSocket().orElseThrow().toString())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process.waitFor();
            assertThat(Files.readString(output)).isEqualTo(example.group(3));
        }
    }
}
