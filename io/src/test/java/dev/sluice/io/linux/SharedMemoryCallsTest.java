package dev.sluice.io.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.support.Leaks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What processes that share memory need of the kernel: sealed files in memory, descriptors passed over UNIX sockets,
/// futexes, and word of a peer's end.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class SharedMemoryCallsTest {
    private static final int PAGE = 4096;
    private static final long SECOND_NS = 1_000_000_000;

    @TempDir
    Path folder;

    private final Account account = Account.root("test");
    private final Kernel kernel = new Kernel();
    private final Leaks leaks = new Leaks(kernel);

    @AfterEach
    void nothingIsLeftOpen() {
        leaks.assertNone();
    }

    private Descriptor memoryFile(long lengthBytes) throws ErrnoException {
        Descriptor file = kernel.memoryFiles().create("test pool", account).orThrow();
        assertThat(kernel.files().ftruncate(file, lengthBytes)).isZero();
        return file;
    }

    @Test
    void aSealedFileKeepsItsSizeAndTakesNoMoreSeals() throws ErrnoException {
        try (Descriptor file = memoryFile(PAGE)) {
            assertThat(kernel.files().ftruncate(file, 2 * PAGE))
                    .as("control: unsealed")
                    .isZero();
            int seals = MemoryFiles.F_SEAL_SHRINK | MemoryFiles.F_SEAL_GROW | MemoryFiles.F_SEAL_SEAL;
            assertThat(kernel.memoryFiles().addSeals(file, seals)).isZero();
            assertThat(kernel.memoryFiles().seals(file) & seals).isEqualTo(seals);
            assertThat(kernel.files().ftruncate(file, PAGE)).isEqualTo(-Errno.EPERM);
            assertThat(kernel.files().ftruncate(file, 3 * PAGE)).isEqualTo(-Errno.EPERM);
            assertThat(kernel.memoryFiles().addSeals(file, MemoryFiles.F_SEAL_WRITE))
                    .isEqualTo(-Errno.EPERM);
        }
    }

    @Test
    void afterTheSealOnlyTheMapThatWasThereWritesAndNobodyPunchesHoles() throws ErrnoException {
        try (Arena arena = Arena.ofConfined();
                Descriptor file = memoryFile(PAGE)) {
            MemorySegment writable =
                    kernel.mappings().map(file, 0, PAGE, Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED);
            int punch = Files.FALLOC_FL_PUNCH_HOLE | Files.FALLOC_FL_KEEP_SIZE;
            assertThat(kernel.files().fallocate(file, punch, 0, PAGE))
                    .as("control: unsealed")
                    .isZero();
            assertThat(kernel.memoryFiles().addSeals(file, MemoryFiles.F_SEAL_FUTURE_WRITE))
                    .isZero();
            writable.set(ValueLayout.JAVA_INT, 0, 4711);
            MemorySegment buffer = arena.allocate(4);
            assertThat(kernel.files().pread(file, buffer, 0)).isEqualTo(4);
            assertThat(buffer.get(ValueLayout.JAVA_INT, 0)).isEqualTo(4711);
            assertThat(kernel.files().pwrite(file, buffer, 0)).isEqualTo(-Errno.EPERM);
            assertThat(kernel.files().fallocate(file, punch, 0, PAGE)).isEqualTo(-Errno.EPERM);
            // By a new opening too, writable as it may be.
            try (Descriptor again = kernel.files()
                    .open(Path.of("/proc/self/fd/" + file.number()), Files.O_RDWR, 0, account)
                    .orThrow()) {
                assertThat(kernel.files().pwrite(again, buffer, 0)).isEqualTo(-Errno.EPERM);
                ErrnoException refused = catchThrowableOfType(
                        ErrnoException.class,
                        () -> kernel.mappings()
                                .map(again, 0, PAGE, Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED));
                assertThat(refused.errno()).isEqualTo(Errno.EPERM);
            }
            kernel.mappings().unmap(writable);
        }
    }

    @Test
    void whatIsNoFileInMemoryHasNoSeals() throws ErrnoException {
        try (Descriptor file = kernel.files()
                .open(folder.resolve("f"), Files.O_RDWR | Files.O_CREAT, 0644, account)
                .orThrow()) {
            assertThat(kernel.memoryFiles().seals(file)).isEqualTo(-Errno.EINVAL);
        }
    }

    @Test
    void descriptorsArriveWithTheirMessageAndAreCloseOnExec() throws Exception {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, account);
        try (Arena arena = Arena.ofConfined();
                Descriptor file = memoryFile(3 * PAGE)) {
            assertThat(kernel.unixSockets().send(pair[0], arena.allocateFrom("two"), List.of(file, file), 0))
                    .isEqualTo(4);
            assertThat(kernel.unixSockets().send(pair[0], arena.allocateFrom("none"), List.of(), 0))
                    .isEqualTo(5);
            MemorySegment buffer = arena.allocate(16);
            var first = kernel.unixSockets().receive(pair[1], buffer, 2, 0, account);
            assertThat(first.result()).isEqualTo(4);
            assertThat(first.isTruncated()).isFalse();
            assertThat(first.descriptors()).hasSize(2);
            for (Descriptor received : first.descriptors()) {
                assertThat(received.number()).isNotEqualTo(file.number());
                assertThat(kernel.files().status(received).sizeBytes()).isEqualTo(3 * PAGE);
                assertThat(java.nio.file.Files.readString(Path.of("/proc/self/fdinfo/" + received.number())))
                        .as("O_CLOEXEC is 02000000")
                        .containsPattern("flags:\\s+02\\d{6}");
            }
            first.closeDescriptors();
            var second = kernel.unixSockets().receive(pair[1], buffer, 2, 0, account);
            assertThat(second.result()).isEqualTo(5);
            assertThat(second.descriptors()).isEmpty();
            assertThat(account.count(Call.RECVMSG)).isEqualTo(new Account.Count(2, 0, 9));
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }

    @Test
    void moreDescriptorsOrBytesThanAskedForAreClosedAndTold() throws ErrnoException {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(false, account);
        try (Arena arena = Arena.ofConfined();
                Descriptor file = memoryFile(PAGE)) {
            MemorySegment message = arena.allocateFrom("message");
            MemorySegment buffer = arena.allocate(8);
            // The padding of a control message for 1 takes 2, so both borders are tried.
            for (int count : new int[] {2, 3, UnixSockets.MAX_DESCRIPTORS}) {
                var passed = java.util.Collections.nCopies(count, file);
                assertThat(kernel.unixSockets().send(pair[0], message, passed, 0))
                        .isEqualTo(8);
                var received = kernel.unixSockets().receive(pair[1], buffer, 1, 0, account);
                assertThat(received.isTruncated()).as("%d sent", count).isTrue();
                assertThat(received.descriptors()).hasSize(1);
                received.closeDescriptors();
            }
            assertThat(kernel.unixSockets().send(pair[0], message, List.of(), 0))
                    .isEqualTo(8);
            assertThat(kernel.unixSockets()
                            .receive(pair[1], buffer.asSlice(0, 3), 1, 0, account)
                            .isTruncated())
                    .isTrue();
            assertThat(kernel.unixSockets()
                            .receive(pair[1], buffer, 1, 0, account)
                            .result())
                    .isEqualTo(-Errno.EAGAIN);
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }

    @Test
    void aSocketsPathGetsItsModeBeforeItListensAndThePeerIsKnown() throws Exception {
        Path path = folder.resolve("socket");
        var address = UnixDomainSocketAddress.of(path);
        try (Descriptor listener = kernel.unixSockets().seqpacket(true, account).orThrow();
                Descriptor client =
                        kernel.unixSockets().seqpacket(true, account).orThrow()) {
            assertThat(kernel.sockets().bind(listener, address)).isZero();
            assertThat(kernel.files().changeMode(path, 0602)).isZero();
            assertThat(PosixFilePermissions.toString(java.nio.file.Files.getPosixFilePermissions(path)))
                    .isEqualTo("rw-----w-");
            assertThat(kernel.sockets().listen(listener, 1)).isZero();
            assertThat(kernel.sockets().connect(client, address)).isZero();
            try (Descriptor server =
                    kernel.sockets().accept(listener, true, account).orThrow()) {
                PeerCredentials peer = kernel.unixSockets().peerCredentials(server);
                assertThat((long) peer.pid()).isEqualTo(ProcessHandle.current().pid());
                assertThat(peer.uid()).isEqualTo(java.nio.file.Files.getAttribute(path, "unix:uid"));
                assertThat(peer.gid()).isEqualTo(java.nio.file.Files.getAttribute(path, "unix:gid"));
                assertThat(kernel.unixSockets().peerGroups(server)).isEqualTo(ownGroups());
            }
        }
    }

    private static Set<Integer> ownGroups() throws Exception {
        try (Stream<String> lines = java.nio.file.Files.lines(Path.of("/proc/self/status"))) {
            String groups = lines.filter(line -> line.startsWith("Groups:"))
                    .findFirst()
                    .orElseThrow()
                    .substring("Groups:".length());
            return groups.isBlank()
                    ? Set.of()
                    : Stream.of(groups.strip().split(" +"))
                            .map(Integer::parseInt)
                            .collect(Collectors.toSet());
        }
    }

    @Test
    void aFutexWakesAcrossTwoMapsOfAFileTheSleepersReadOnly() throws Exception {
        try (Descriptor file = memoryFile(PAGE)) {
            MemorySegment writable =
                    kernel.mappings().map(file, 0, PAGE, Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED);
            MemorySegment readOnly = kernel.mappings().map(file, 0, PAGE, Mappings.PROT_READ, Mappings.MAP_SHARED);
            MemorySegment word = readOnly.asSlice(64, 4);
            assertThat(kernel.futexes().await(word, 1, SECOND_NS))
                    .as("another value")
                    .isEqualTo(-Errno.EAGAIN);
            assertThat(kernel.futexes().await(word, 0, 1)).as("nobody wakes").isEqualTo(-Errno.ETIMEDOUT);
            CountDownLatch started = new CountDownLatch(1);
            FutureTask<Long> sleeper = new FutureTask<>(() -> {
                started.countDown();
                return kernel.futexes().await(word, 0, 50 * SECOND_NS);
            });
            Thread.ofPlatform().start(sleeper);
            started.await();
            while (kernel.futexes().wake(writable.asSlice(64, 4), 1) == 0) {
                Thread.onSpinWait(); // until it sleeps
            }
            assertThat(sleeper.get()).isZero();
            kernel.mappings().unmap(writable);
            kernel.mappings().unmap(readOnly);
        }
    }

    @Test
    void aProcessDescriptorBecomesReadableWhenTheProcessEnds() throws Exception {
        Process process = new ProcessBuilder("sleep", "60").start();
        try (Arena arena = Arena.ofConfined();
                Descriptor pidfd = kernel.pidfds().open(process.pid(), account).orThrow()) {
            MemorySegment scratch = arena.allocate(Polls.SCRATCH_BYTES, 4);
            assertThat(kernel.polls().await(pidfd, Polls.POLLIN, 0, scratch)).isZero();
            process.destroyForcibly();
            assertThat(kernel.polls().await(pidfd, Polls.POLLIN, 30_000, scratch) & Polls.POLLIN)
                    .isEqualTo(Polls.POLLIN);
        } finally {
            process.destroyForcibly();
            process.waitFor();
            process.getInputStream().close();
            process.getErrorStream().close();
            process.getOutputStream().close();
        }
        assertThat(kernel.pidfds().open(Integer.MAX_VALUE, account).errno()).isEqualTo(Errno.ESRCH);
    }

    @Test
    void thePeersProcessIsFoundByItsSocketWhereTheKernelOffersIt() throws Exception {
        Descriptor[] pair = kernel.sockets().pair(true, account);
        try {
            Opened opened = kernel.unixSockets().peerPidfd(pair[0], account);
            if (opened instanceof Opened.Ok(Descriptor pidfd)) {
                try (pidfd) {
                    assertThat(java.nio.file.Files.readString(Path.of("/proc/self/fdinfo/" + pidfd.number())))
                            .containsPattern(
                                    "Pid:\\s+" + ProcessHandle.current().pid() + "\\s");
                }
            } else {
                assertThat(opened.errno()).as("before Linux 6.5").isEqualTo(Errno.ENOPROTOOPT);
            }
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }
}
