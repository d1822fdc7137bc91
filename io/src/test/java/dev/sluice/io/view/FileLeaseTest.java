package dev.sluice.io.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.support.ChildJvm;
import dev.sluice.io.support.Leaks;
import dev.sluice.io.view.FileLease.Kind;
import dev.sluice.io.view.FileLease.State;
import dev.sluice.io.view.MappedFile.Mode;
import dev.sluice.io.view.MappedFileException.Cause;
import dev.sluice.testbase.Commands;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Leases: what they delay, when they are taken away, and what they don't keep.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class FileLeaseTest {
    private static final long LENGTH = VictimMain.LENGTH;
    private static final Path BREAK_TIME = Path.of("/proc/sys/fs/lease-break-time");

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private Leaks leaks;
    private Path path;

    @BeforeEach
    void writeFile() throws IOException {
        path = java.nio.file.Files.write(folder.resolve("data"), new byte[(int) LENGTH]);
        leaks = new Leaks(kernel);
    }

    @AfterEach
    void nothingLeft() {
        leaks.assertNone();
    }

    private Process truncateElsewhere() throws IOException {
        // Not truncate(1), which opens with O_NONBLOCK and is refused at once.
        return elsewhere("sh", "-c", ": > '" + path + "'");
    }

    private static Process elsewhere(String... command) throws IOException {
        return new ProcessBuilder(command)
                .redirectInput(new java.io.File("/dev/null"))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static long sum(MemorySegment bytes) {
        long sum = 0;
        for (long at = 0; at < bytes.byteSize(); at += 8) {
            sum += bytes.get(ValueLayout.JAVA_LONG, at);
        }
        return sum;
    }

    @Test
    void anotherProcessWaitsUntilAccessesHaveEndedAndNewOnesAreRefused() throws Exception {
        Process[] other = new Process[1];
        try (MappedFile mapped = MappedFile.openGuarded(kernel, path, Mode.READ, kernel.account())) {
            long sum = mapped.access(0, LENGTH, bytes -> {
                other[0] = truncateElsewhere();
                awaitBreak(mapped);
                assertThat(catchThrowableOfType(MappedFileException.class, () -> mapped.access(0, 8, _ -> 0))
                                .why())
                        .isEqualTo(Cause.LEASE_BROKEN);
                long all = sum(bytes);
                assertThat(other[0].isAlive()).as("still waiting").isTrue();
                return all;
            });
            assertThat(sum).isZero();
            assertThat(other[0].waitFor()).isZero();
            assertThat(java.nio.file.Files.size(path)).isZero();
            assertThat(mapped.leaseState()).isEqualTo(State.RELEASED);
            assertThat(catchThrowableOfType(MappedFileException.class, () -> mapped.access(0, 8, _ -> 0)))
                    .hasMessageContaining("open it again");
        }
    }

    @Test
    void controlWithoutALeaseTheFileIsCutUnderTheAccess() throws Exception {
        try (MappedFile mapped = MappedFile.open(kernel, path, Mode.READ, kernel.account())) {
            MappedFileException thrown = catchThrowableOfType(
                    MappedFileException.class,
                    () -> mapped.access(0, LENGTH, bytes -> {
                        assertThat(truncateElsewhere().waitFor()).isZero();
                        return sum(bytes);
                    }));
            assertThat(thrown.why()).isEqualTo(Cause.TRUNCATED);
        }
    }

    private static void awaitBreak(MappedFile mapped) {
        while (mapped.leaseState() == State.HELD) {
            Thread.onSpinWait();
        }
    }

    @Test
    void theSignalIsHeardWithoutAnybodyAsking() throws Exception {
        CountDownLatch broken = new CountDownLatch(1);
        try (Descriptor file = kernel.files()
                        .open(path, Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                FileLease lease = FileLease.take(kernel, file, Kind.READ, broken::countDown)) {
            Process other = truncateElsewhere();
            broken.await();
            assertThat(lease.release()).isEqualTo(State.RELEASED);
            assertThat(other.waitFor()).isZero();
        }
    }

    @Test
    void aReaderBreaksAWriteLeaseAndNotAReadLease() throws Exception {
        try (Descriptor file = kernel.files()
                        .open(path, Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                FileLease lease = FileLease.take(kernel, file, Kind.READ, () -> {})) {
            assertThat(elsewhere("cat", path.toString()).waitFor()).isZero();
            assertThat(lease.state()).isEqualTo(State.HELD);
        }
        CountDownLatch broken = new CountDownLatch(1);
        try (Descriptor file = kernel.files()
                        .open(path, Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                FileLease lease = FileLease.take(kernel, file, Kind.WRITE, broken::countDown)) {
            Process other = elsewhere("cat", path.toString());
            broken.await();
            lease.close();
            assertThat(other.waitFor()).isZero();
        }
    }

    @Test
    @Tag("root") // who may set the system's break time
    void whoDoesNotGiveWayInTimeIsPassedBy() throws Exception {
        String before = Commands.run("cat", BREAK_TIME.toString()); // not readString, which stops after a digit
        java.nio.file.Files.writeString(BREAK_TIME, "1");
        try (MappedFile mapped = MappedFile.openGuarded(kernel, path, Mode.READ, kernel.account())) {
            MappedFileException thrown = catchThrowableOfType(
                    MappedFileException.class,
                    () -> mapped.access(0, LENGTH, bytes -> {
                        assertThat(truncateElsewhere().waitFor())
                                .as("goes on although we hold on")
                                .isZero();
                        return sum(bytes);
                    }));
            assertThat(thrown.why()).isEqualTo(Cause.TRUNCATED);
            assertThat(mapped.leaseState()).isEqualTo(State.EXPIRED);
        } finally {
            java.nio.file.Files.writeString(BREAK_TIME, before.strip());
        }
    }

    @Test
    void aFileThatSomebodyHasOpenForWritingGetsNone() throws Exception {
        try (Descriptor writing =
                kernel.files().open(path, Files.O_RDWR, 0, kernel.account()).orThrow()) {
            assertThat(writing.isOpen()).isTrue();
            ErrnoException thrown = catchThrowableOfType(
                    ErrnoException.class, () -> MappedFile.openGuarded(kernel, path, Mode.READ, kernel.account()));
            assertThat(thrown.errno()).isEqualTo(Errno.EAGAIN);
            assertThat(thrown).hasMessageContaining("lease on " + path);
        }
    }

    @Test
    void whatIsNoRegularFileGetsNone() throws Exception {
        try (Descriptor file = kernel.files()
                .open(Path.of("/dev/null"), Files.O_RDONLY, 0, kernel.account())
                .orThrow()) {
            ErrnoException thrown =
                    catchThrowableOfType(ErrnoException.class, () -> FileLease.take(kernel, file, Kind.READ, () -> {}));
            assertThat(thrown.errno()).isEqualTo(Errno.EINVAL);
        }
    }

    @Test
    void anUnlinkAndARenameBreakNothing() throws Exception {
        try (MappedFile mapped = MappedFile.openGuarded(kernel, path, Mode.READ, kernel.account())) {
            java.nio.file.Files.move(path, folder.resolve("renamed"));
            java.nio.file.Files.delete(folder.resolve("renamed"));
            assertThat(mapped.leaseState()).isEqualTo(State.HELD);
            assertThat(mapped.<Long, RuntimeException>access(0, LENGTH, FileLeaseTest::sum))
                    .isZero();
        }
    }

    @Test
    void controlTheKernelsOwnSignalEndsAJvmThatDoesNotHandleIt() throws Exception {
        try (ChildJvm victim =
                ChildJvm.start(List.of(), ChildJvm.ownClasses(), VictimMain.class, "lease", path.toString())) {
            assertThat(victim.line()).isEqualTo("leased 0");
            assertThat(truncateElsewhere().waitFor()).isZero();
            assertThat(victim.status()).isEqualTo(128 + 29); // SIGIO
        }
    }

    @Test
    void aJvmThatHandlesTheSignalLives() throws Exception {
        try (ChildJvm victim =
                ChildJvm.start(List.of(), ChildJvm.ownClasses(), VictimMain.class, "lease-handled", path.toString())) {
            assertThat(victim.line()).isEqualTo("leased 0");
            assertThat(truncateElsewhere().waitFor()).isZero();
            assertThat(victim.rest()).contains("survived");
            assertThat(victim.status()).isZero();
        }
    }
}
