package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.TransferException.Failure;
import dev.sluice.testbase.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Sinks that are really full: a tmpfs of 4 MiB, mounted for the test.
@Tag("root")
class FullDiskTest {
    private static final long ROOM = 4 << 20;
    private static final long LENGTH = 6_000_000;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private Path small;
    private Leaks leaks;

    @BeforeEach
    void mount() throws Exception {
        Path at = Files.createDirectory(folder.resolve("small"));
        Commands.assume("mount", "-t", "tmpfs", "-o", "size=" + ROOM, "tmpfs", at.toString());
        small = at;
        leaks = new Leaks(folder);
    }

    @AfterEach
    void unmount() throws Exception {
        try {
            leaks.assertNone(kernel);
        } finally {
            Commands.run("umount", small.toString());
        }
    }

    @Test
    void everyMethodSaysHowFarItCame() throws Exception {
        for (EndType source : List.of(EndType.FILE, EndType.TCP, EndType.UNIX, EndType.PIPE, EndType.MEMORY)) {
            for (Method method : Method.serving(source.kind, Endpoint.Kind.FILE)) {
                if (method == Method.REFLINK
                        || method == Method.COPY_FILE_RANGE // never to another file system
                        || (method == Method.ZEROCOPY_RECEIVE && source != EndType.TCP)) {
                    continue;
                }
                fill(source, method);
            }
        }
    }

    private void fill(EndType source, Method method) throws IOException {
        Path target = small.resolve("target");
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, source, EndType.MEMORY, true, LENGTH, 0, 0);
                Endpoint.File sink = Endpoint.openSink(kernel, target, true, kernel.account());
                Transfer transfer = transfers.begin(rig.source, sink, LENGTH, TransferOptions.DEFAULT.only(method))) {
            rig.feed(LENGTH, false);
            TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
            assertThat(thrown.failure()).as("%s from %s", method, source).isEqualTo(Failure.OUT_OF_SPACE);
            assertThat(thrown.errno()).isEqualTo(Errno.ENOSPC);
            assertThat(thrown).hasMessageContaining(target.toString()).hasMessageContaining("no space left");
            assertThat(thrown.deliveredBytes()).isBetween(1L, ROOM);
            assertThat(Rig.verified(target, 0, thrown.deliveredBytes())).isEqualTo(thrown.deliveredBytes());
        }
        Files.delete(target);
    }
}
