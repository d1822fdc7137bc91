package dev.sluice.log.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.MemoryFiles;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// An answer that comes when nobody waits for it any more is nobody's: a reader must not get the records of another
/// partition.
@Timeout(180)
class LateAnswerTest {
    private static final long PATIENCE_NS = 1_000_000_000;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private Path path;
    private Descriptor listener;
    private Descriptor file;

    @BeforeEach
    void listen() throws Exception {
        path = folder.resolve("s");
        listener = kernel.unixSockets().seqpacket(true, kernel.account()).orThrow();
        kernel.sockets().bind(listener, UnixDomainSocketAddress.of(path));
        kernel.sockets().listen(listener, 1);
        file = kernel.memoryFiles().create("page", kernel.account()).orThrow();
        assertThat(kernel.files().ftruncate(file, EndPage.BYTES)).isZero();
        try (Mapping mapping = Mapping.ofFile(kernel, file, 0, EndPage.BYTES, true)) {
            new EndPage(mapping.segment()).begin();
        }
        assertThat(kernel.memoryFiles().addSeals(file, MemoryFiles.F_SEAL_SHRINK))
                .isZero();
    }

    @AfterEach
    void close() {
        file.close();
        listener.close();
    }

    private void answer(Descriptor peer, LocalReply reply, List<Descriptor> passed) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message =
                    arena.allocate(reply.encode().remaining()).copyFrom(MemorySegment.ofBuffer(reply.encode()));
            assertThat(kernel.unixSockets().send(peer, message, passed, 0)).isEqualTo(message.byteSize());
        }
    }

    private Descriptor welcome() throws Exception {
        Descriptor peer =
                kernel.sockets().accept(listener, true, kernel.account()).orThrow();
        answer(
                peer,
                new LocalReply.Welcome(EndPage.SLOTS, LocalRequest.MAGIC, LocalRequest.VERSION),
                List.of(file, file));
        return peer;
    }

    @Test
    void anAnswerThatComesTooLateIsNotTakenForThatToTheNextRequest() throws Exception {
        FutureTask<Descriptor> broker = new FutureTask<>(this::welcome);
        Thread.ofPlatform().daemon().start(broker);
        try (LocalLog log = LocalLog.connect(kernel, path, LocalLog.Options.standard(), PATIENCE_NS);
                Descriptor peer = broker.get()) {
            assertThatThrownBy(() -> log.open("a", 0, 0)).hasMessageContaining("does not answer");
            answer(peer, new LocalReply.Segment(0, false, 0, 0, 0, 0, 4096), List.of(file));

            assertThatThrownBy(() -> log.open("b", 0, 0)).hasMessageContaining("does not answer");
        }
    }
}
