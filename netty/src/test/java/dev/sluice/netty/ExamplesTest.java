package dev.sluice.netty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.Example;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The programs of docs/EXAMPLES.md that are for users of Netty compile and print what the page says.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ExamplesTest {
    @TempDir
    Path folder;

    static Stream<Example> examples() throws IOException {
        return Example.all(Path.of("..")).stream().filter(Example::needsNetty);
    }

    @ParameterizedTest
    @MethodSource("examples")
    void printsWhatThePageSays(Example example) throws Exception {
        List<Path> classPath = Arrays.stream(
                        System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .toList();
        assertThat(example.run(classPath, folder)).isEqualTo(example.prints());
    }
}
