package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What every engine keeps to, with and without faults.
abstract class SegmentWriterContract {
    private static final long STEP = 256 << 10;

    @TempDir
    Path folder;

    final Faults faults = new Faults();
    final Kernel kernel = new Kernel(faults);
    final Account account = Account.root("test");
    private final Arena arena = Arena.ofConfined();
    private SegmentWriter.Engine started;
    Path path;
    Descriptor file;

    /// What the engine under test says of its writers.
    SegmentWriter.Progress progress = SegmentWriter.Progress.NONE;

    /// The one under test, started.
    abstract SegmentWriter.Engine engine() throws ErrnoException;

    @BeforeEach
    void open() throws ErrnoException {
        path = folder.resolve("segment.log");
        file = kernel.files()
                .open(path, Files.O_RDWR | Files.O_CREAT, 0644, account)
                .orThrow();
    }

    /// The engine of this test, which is ended with it.
    SegmentWriter.Engine started(SegmentWriter.Engine stopped) throws ErrnoException {
        if (started == null) {
            try {
                started = stopped.start(kernel, folder, account);
            } catch (ErrnoException e) {
                throw e;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return started;
    }

    @AfterEach
    void close() {
        if (started != null) {
            started.close();
        }
        file.close();
        arena.close();
        assertThat(OpenHandles.descriptors(folder)).isEmpty();
        assertThat(OpenHandles.maps(folder)).isEmpty();
    }

    SegmentWriter writer(long end) throws ErrnoException {
        return engine().open(kernel, file, end, STEP, progress);
    }

    /// Writes and commits.
    static long write(SegmentWriter writer, MemorySegment batches) {
        long position = writer.write(batches, 0, batches.byteSize());
        if (position >= 0) {
            writer.commit(writer.end());
        }
        return position;
    }

    static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    MemorySegment memory(byte[] bytes) {
        MemorySegment memory = arena.allocate(bytes.length);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return memory;
    }

    long size() throws IOException {
        return java.nio.file.Files.size(path);
    }

    private long allocated() throws ErrnoException {
        return kernel.files().status(file).allocatedBytes();
    }

    @Test
    void writesFollowEachOther() throws IOException {
        byte[] first = bytes(1000, 1);
        byte[] second = bytes(5000, 2);
        try (SegmentWriter writer = writer(0)) {
            assertThat(writer.room(first.length)).isZero();
            assertThat(write(writer, memory(first))).isZero();
            assertThat(writer.room(second.length)).isZero();
            assertThat(write(writer, memory(second))).isEqualTo(1000);
            assertThat(writer.end()).isEqualTo(6000);
            assertThat(writer.flush()).isZero();
            assertThat(writer.trim()).isZero();
        }
        byte[] stored = java.nio.file.Files.readAllBytes(path);
        assertThat(Arrays.copyOf(stored, 1000)).isEqualTo(first);
        assertThat(Arrays.copyOfRange(stored, 1000, stored.length)).isEqualTo(second);
    }

    @Test
    void blocksAreReservedAheadAndTrimmedAway() throws IOException {
        try (SegmentWriter writer = writer(0)) {
            writer.room(100);
            write(writer, memory(bytes(100, 1)));
            assertThat(allocated()).isGreaterThan(8192);

            assertThat(writer.trim()).isZero();

            assertThat(allocated()).isLessThanOrEqualTo(8192);
            assertThat(size()).isEqualTo(100);
        }
    }

    @Test
    void aWriterGoesOnWhereTheDataEnd() throws IOException {
        java.nio.file.Files.write(path, bytes(777, 3));
        try (SegmentWriter writer = writer(777)) {
            assertThat(writer.end()).isEqualTo(777);
            assertThat(writer.room(10)).isZero();
            assertThat(write(writer, memory(bytes(10, 4)))).isEqualTo(777);
            assertThat(writer.trim()).isZero();
        }
        assertThat(java.nio.file.Files.readAllBytes(path))
                .startsWith(bytes(777, 3))
                .endsWith(bytes(10, 4));
    }

    @Test
    void aFullDiskIsAnAnswerAndNothingHasMoved() throws IOException {
        try (SegmentWriter writer = writer(0)) {
            writer.room(100);
            write(writer, memory(bytes(100, 1)));
            long room = 10 << 20; // more than was reserved
            Faults.Fault full = faults.always(Call.FALLOCATE, ".log", Errno.ENOSPC);

            assertThat(writer.room(room)).isEqualTo(-Errno.ENOSPC);
            assertThat(writer.end()).isEqualTo(100);
            assertThat(full.hits()).isPositive();

            full.heal();
            assertThat(writer.room(room)).isZero();
        }
    }

    @Test
    void theLastBytesOfADiskAreUsed() throws IOException {
        try (SegmentWriter writer = writer(0)) {
            Faults.Fault full =
                    faults.once(Call.FALLOCATE, ".log", 0, Errno.ENOSPC); // the step is too long, the batch fits

            assertThat(writer.room(100)).isZero();
            assertThat(full.hits()).isEqualTo(1);
        }
    }

    @Test
    void aFileSystemThatCannotReserveIsWrittenAllTheSame() throws IOException {
        Faults.Fault fault = faults.always(Call.FALLOCATE, ".log", Errno.EOPNOTSUPP);
        try (SegmentWriter writer = writer(0)) {
            assertThat(writer.room(100)).isZero();
            assertThat(write(writer, memory(bytes(100, 1)))).isZero();
            assertThat(writer.trim()).isZero();
        }
        assertThat(fault.hits()).isPositive();
        assertThat(java.nio.file.Files.readAllBytes(path)).isEqualTo(bytes(100, 1));
    }

    @Test
    void aFailedFlushIsAnswered() throws IOException {
        try (SegmentWriter writer = writer(0)) {
            writer.room(100);
            write(writer, memory(bytes(100, 1)));
            faults.once(Call.FDATASYNC, ".log", 0, Errno.EIO);

            assertThat(writer.flush()).isEqualTo(-Errno.EIO);
        }
    }
}
