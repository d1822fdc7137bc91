package dev.sluice.io.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FilesTest {
    @TempDir
    Path folder;

    private final Arena arena = Arena.ofConfined();
    private final Account account = Account.root("test");
    private final Kernel kernel = new Kernel();
    private final Files files = kernel.files();

    @AfterEach
    void free() {
        arena.close();
    }

    private Descriptor create(Kernel on, String name) throws ErrnoException {
        return on.files()
                .open(folder.resolve(name), Files.O_RDWR | Files.O_CREAT, 0644, account)
                .orThrow();
    }

    private MemorySegment bytes(String text) {
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, text.getBytes(StandardCharsets.UTF_8));
    }

    private String read(Descriptor file, long position, int length) {
        MemorySegment target = arena.allocate(length);
        long read = files.preadFully(file, target, position);
        return new String(target.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    @Test
    void whatIsWrittenAtAPositionIsReadThere() throws ErrnoException {
        try (Descriptor file = create(kernel, "file")) {
            assertThat(files.pwriteFully(file, bytes("world"), 6)).isEqualTo(5);
            assertThat(files.pwriteFully(file, bytes("hello "), 0)).isEqualTo(6);
            assertThat(read(file, 0, 100)).isEqualTo("hello world");
            assertThat(files.status(file).sizeBytes()).isEqualTo(11);
            assertThat(files.status(file).isRegularFile()).isTrue();
        }
    }

    @Test
    void positionsPastFourGiBAreKept() throws ErrnoException {
        long position = (5L << 30) + 7;
        try (Descriptor file = create(kernel, "sparse")) {
            files.pwriteFully(file, bytes("far"), position);
            assertThat(read(file, position, 3)).isEqualTo("far");
            assertThat(files.status(file).sizeBytes()).isEqualTo(position + 3);
        }
    }

    @Test
    void aGatheringWriteKeepsTheOrderOfItsPieces() throws ErrnoException {
        IoVectors vectors = new IoVectors(arena, 3);
        vectors.add(bytes("a"));
        vectors.add(bytes("bc"));
        vectors.add(bytes("def"));
        assertThat(vectors.add(bytes("no room"))).isFalse();
        try (Descriptor file = create(kernel, "file")) {
            assertThat(files.pwritev(file, vectors, 0)).isEqualTo(6);
            assertThat(read(file, 0, 10)).isEqualTo("abcdef");
        }
    }

    @Test
    void failuresAreValuesAndNameTheirErrno() {
        Opened missing = files.open(folder.resolve("missing"), Files.O_RDONLY, 0, account);
        assertThat(missing.errno()).isEqualTo(Errno.ENOENT);
        assertThatThrownBy(missing::orThrow)
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("missing")
                .hasMessageContaining("ENOENT");
        assertThat(files.unlink(folder.resolve("missing"))).isEqualTo(-Errno.ENOENT);
        assertThat(files.makeDirectory(folder, 0755)).isEqualTo(-Errno.EEXIST);
    }

    @Test
    void aClosedDescriptorAnswersEbadfAndClosingTwiceDoesNothing() throws ErrnoException {
        Descriptor file = create(kernel, "file");
        int number = file.number();
        file.close();
        try (Descriptor other = create(kernel, "other")) {
            assertThat(other.number())
                    .as("the kernel gives the number out again")
                    .isEqualTo(number);
            file.close();
            assertThat(files.pwrite(file, bytes("x"), 0)).isEqualTo(-Errno.EBADF);
            assertThat(files.pread(file, arena.allocate(1), 0)).isEqualTo(-Errno.EBADF);
            assertThat(files.fsync(file)).isEqualTo(-Errno.EBADF);
            assertThat(files.fallocate(file, 0, 0, 1)).isEqualTo(-Errno.EBADF);
            assertThat(files.pwrite(other, bytes("y"), 0)).isEqualTo(1);
        }
        assertThat(file.isOpen()).isFalse();
    }

    @Test
    void preallocatedBlocksDoNotGrowTheFileAndGoBackAtTruncate() throws ErrnoException {
        try (Descriptor file = create(kernel, "file")) {
            files.pwriteFully(file, bytes("data"), 0);
            assertThat(files.fallocate(file, Files.FALLOC_FL_KEEP_SIZE, 0, 1 << 20))
                    .isZero();
            assertThat(files.status(file).sizeBytes()).isEqualTo(4);
            assertThat(files.status(file).allocatedBytes()).isGreaterThanOrEqualTo(1 << 20);
            assertThat(files.ftruncate(file, 4)).isZero();
            assertThat(files.status(file).allocatedBytes()).isLessThan(1 << 20);
            assertThat(read(file, 0, 10)).isEqualTo("data");
        }
    }

    @Test
    void renamingReplacesUnlessToldNotTo() throws ErrnoException {
        create(kernel, "a").close();
        create(kernel, "b").close();
        assertThat(files.renameNoReplace(folder.resolve("a"), folder.resolve("b")))
                .isEqualTo(-Errno.EEXIST);
        assertThat(files.rename(folder.resolve("a"), folder.resolve("b"))).isZero();
        assertThat(files.open(folder.resolve("a"), Files.O_RDONLY, 0, account).errno())
                .isEqualTo(Errno.ENOENT);
    }

    @Test
    void aLockIsHeldByOneDescriptorAlsoWithinOneProcess() throws ErrnoException {
        try (Descriptor first = create(kernel, "lock");
                Descriptor second = create(kernel, "lock")) {
            assertThat(files.tryLock(first)).isZero();
            assertThat(files.tryLock(second)).isEqualTo(-Errno.EAGAIN);
            first.close();
            assertThat(files.tryLock(second)).isZero();
        }
    }

    @Test
    void aGateCanRefuseACall() throws ErrnoException {
        Kernel full = new Kernel((call, _, _, length) -> call == Call.PWRITE ? -Errno.ENOSPC : length);
        try (Descriptor file = create(full, "file")) {
            assertThat(full.files().pwriteFully(file, bytes("data"), 0)).isEqualTo(-Errno.ENOSPC);
            assertThat(files.status(file).sizeBytes()).isZero();
        }
        try (Descriptor file = create(kernel, "file")) { // the control: another kernel is not touched
            assertThat(files.pwriteFully(file, bytes("data"), 0)).isEqualTo(4);
        }
    }

    @Test
    void shortCountsAndInterruptionsAreWrittenAndReadPast() throws ErrnoException {
        int[] calls = {0};
        Kernel difficult = new Kernel((call, _, _, length) -> {
            boolean io = call == Call.PWRITE || call == Call.PREAD;
            return !io ? length : calls[0]++ % 2 == 0 ? -Errno.EINTR : Math.min(length, 3);
        });
        try (Descriptor file = create(difficult, "file")) {
            assertThat(difficult.files().pwriteFully(file, bytes("0123456789"), 0))
                    .isEqualTo(10);
            MemorySegment target = arena.allocate(20);
            assertThat(difficult.files().preadFully(file, target, 0)).isEqualTo(10);
            assertThat(read(file, 0, 20)).isEqualTo("0123456789");
        }
        assertThat(calls[0]).isGreaterThan(8);
    }

    @Test
    void everyCallIsCountedWithItsBytesAndErrors() throws ErrnoException {
        Account own = account.child("own");
        Descriptor file = files.open(folder.resolve("f"), Files.O_RDWR | Files.O_CREAT, 0644, own)
                .orThrow();
        files.pwrite(file, bytes("12345"), 0);
        files.pwrite(file, bytes("678"), 5);
        file.close();
        files.pwrite(file, bytes("no"), 8);
        assertThat(own.count(Call.PWRITE)).isEqualTo(new Account.Count(3, 1, 8));
        assertThat(own.count(Call.OPENAT).calls()).isEqualTo(1);
        assertThat(own.count(Call.CLOSE).calls()).isEqualTo(1);
        own.close();
        own.close();
        assertThat(account.children()).isEmpty();
        assertThat(account.count(Call.PWRITE)).as("kept by the parent").isEqualTo(new Account.Count(3, 1, 8));
    }

    @Test
    @Tag("root")
    void aFullDiskIsAnErrnoAndNothingElse() throws Exception {
        Path mount = java.nio.file.Files.createDirectory(folder.resolve("small"));
        run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mount.toString());
        try (Descriptor file = files.open(mount.resolve("f"), Files.O_RDWR | Files.O_CREAT, 0644, account)
                .orThrow()) {
            MemorySegment megabyte = arena.allocate(1 << 20);
            assertThat(files.fallocate(file, 0, 0, 1 << 20)).isEqualTo(-Errno.ENOSPC);
            assertThat(files.pwriteFully(file, megabyte, 0)).isEqualTo(-Errno.ENOSPC);
            assertThat(files.ftruncate(file, 0)).isZero();
            assertThat(files.pwriteFully(file, bytes("fits again"), 0)).isEqualTo(10);
        } finally {
            run("umount", mount.toString());
        }
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
    }
}
