package dev.sluice.log.local;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A broker that hangs is told, and not waited for for ever: the control is the time-out of the class.
@Timeout(180)
class LocalLogTimeoutTest {
    private static final long SHORT_NS = 50_000_000;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private Path path;
    private Descriptor listener;

    @BeforeEach
    void listen() throws Exception {
        path = folder.resolve("s");
        listener = kernel.unixSockets().seqpacket(true, kernel.account()).orThrow();
        kernel.sockets().bind(listener, UnixDomainSocketAddress.of(path));
        kernel.sockets().listen(listener, 0);
    }

    @AfterEach
    void close() {
        listener.close();
    }

    private void connect() throws LocalLogException {
        LocalLog.connect(kernel, path, LocalLog.Options.standard(), SHORT_NS).close();
    }

    @Test
    void aBrokerThatAnswersNothingIsTold() {
        assertThatThrownBy(this::connect).hasMessageContaining("does not answer");
    }

    @Test
    void aBrokerThatAcceptsNobodyIsTold() throws Exception {
        try (Descriptor first =
                kernel.unixSockets().seqpacket(true, kernel.account()).orThrow()) {
            kernel.sockets().connect(first, UnixDomainSocketAddress.of(path)); // the one that the backlog has room for
            assertThatThrownBy(this::connect).hasMessageContaining("takes no connections");
        }
    }
}
