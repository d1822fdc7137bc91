package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The controls of the leak counter: what it must find.
class LeakCounterTest {
    private static final Duration ONE_LOOK = Duration.ZERO;

    private final Kernel kernel = new Kernel();

    @Test
    void findsAFileThatWasNotClosed(@TempDir Path folder) throws IOException {
        LeakCounter.Handles before = LeakCounter.Handles.now();
        try (Descriptor file = open(folder)) {
            assertThatThrownBy(() -> before.requireNothingNew(ONE_LOOK))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining(file.name());
        }
    }

    @Test
    void findsAMapThatOutlivesItsDescriptor(@TempDir Path folder) throws IOException {
        LeakCounter.Handles before = LeakCounter.Handles.now();
        Mapping mapping;
        try (Descriptor file = open(folder)) {
            mapping = Mapping.ofFile(kernel, file, 0, 4096, true);
        }
        assertThatThrownBy(() -> before.requireNothingNew(ONE_LOOK))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("1 maps of " + folder);
        mapping.close();
    }

    @Test
    void findsASocketAndForgivesItOnceItIsClosed() throws Exception {
        LeakCounter.Handles before = LeakCounter.Handles.now();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(server.isBound()).isTrue();
            assertThatThrownBy(() -> before.requireNothingNew(ONE_LOOK))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("socket:[");
        }
        before.requireNothingNew(Duration.ofSeconds(20));
    }

    private Descriptor open(Path folder) throws IOException {
        Path path = folder.resolve("file").toAbsolutePath();
        return kernel.files()
                .open(path, Files.O_RDWR | Files.O_CREAT, 0600, Account.root("test"))
                .orThrow();
    }
}
