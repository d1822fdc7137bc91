package dev.sluice.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.support.ChildJvm;
import dev.sluice.testbase.Example;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every program of docs/EXAMPLES.md compiles and prints what the page says, in a JVM that has our classes and the
/// JDK's. Those for users of Netty are tried where Netty is.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ExamplesTest {
    @TempDir
    Path folder;

    static Stream<Example> examples() throws IOException {
        List<Example> examples = Example.all(Path.of(".."));
        assertThat(examples).hasSizeGreaterThan(5);
        return examples.stream().filter(example -> !example.needsNetty());
    }

    @ParameterizedTest
    @MethodSource("examples")
    void printsWhatThePageSays(Example example) throws Exception {
        Path main = ChildJvm.ownClasses().stream()
                .filter(path -> path.endsWith("classes"))
                .findFirst()
                .orElseThrow();
        assertThat(example.run(List.of(main), folder)).isEqualTo(example.prints());
    }
}
