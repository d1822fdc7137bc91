package dev.sluice.io.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Calls that look: poll, cachestat, mincore, getrusage, interface features, descriptor flags.
@Timeout(180)
class MeasuringCallsTest {
    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    @Test
    void pollSaysWhichOfTwoIsReady() throws Exception {
        Pipes.Ends pipe = kernel.pipes().open(true, kernel.account());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(Polls.SCRATCH_BYTES, 8);
            Polls polls = kernel.polls();
            assertThat(polls.await(pipe.readEnd(), Polls.POLLIN, 0, scratch)).isZero();
            assertThat(polls.await(pipe.writeEnd(), Polls.POLLOUT, -1, scratch)).isEqualTo(Polls.POLLOUT);
            assertThat(polls.await(pipe.readEnd(), Polls.POLLIN, pipe.writeEnd(), Polls.POLLOUT, -1, scratch))
                    .isEqualTo((long) Polls.POLLOUT << 16);
            kernel.files().write(pipe.writeEnd(), arena.allocateFrom("x"));
            assertThat(polls.await(pipe.readEnd(), Polls.POLLIN, pipe.writeEnd(), 0, -1, scratch))
                    .isEqualTo(Polls.POLLIN);
            pipe.readEnd().close();
            assertThat(polls.await(pipe.writeEnd(), 0, -1, scratch)).isEqualTo(Polls.POLLERR);
        }
        pipe.writeEnd().close();
    }

    @Test
    void whatIsInThePageCacheIsToldAlikeByBothCalls() throws Exception {
        Path path = folder.resolve("file");
        java.nio.file.Files.write(path, new byte[100_000]);
        try (Descriptor file =
                kernel.files().open(path, Files.O_RDWR, 0, kernel.account()).orThrow()) {
            assertThat(kernel.pageCache().residentBytes(file, 0, 100_000)).isEqualTo(100_000);
            assertThat(kernel.pageCache().mincore(file, 0, 100_000)).isEqualTo(25);
            assertThat(kernel.files().fsync(file)).isZero();
            kernel.files().advise(file, 0, 0, Files.FADV_DONTNEED);
            long cold = kernel.pageCache().residentBytes(file, 0, 100_000);
            assumeTrue(cold == 0, "this file system keeps its pages (tmpfs)");
            kernel.files().advise(file, 0, 0, Files.FADV_RANDOM); // no read-ahead
            try (Arena arena = Arena.ofConfined()) {
                kernel.files().pread(file, arena.allocate(4096), 8192);
            }
            assertThat(kernel.pageCache().residentBytes(file, 8192, 4096)).isEqualTo(4096);
            assertThat(kernel.pageCache().mincore(file, 8192, 4096)).isEqualTo(1);
            long resident = kernel.pageCache().residentBytes(file, 0, 100_000);
            assertThat(resident).isLessThan(100_000);
            assertThat(kernel.pageCache().mincore(file, 0, 100_000) * 4096).isEqualTo(resident);
        }
    }

    @Test
    void whatAThreadHasHadReadFromTheDiskIsCounted() throws Exception {
        Path path = folder.resolve("file");
        java.nio.file.Files.write(path, new byte[100_000]);
        try (Descriptor file = kernel.files()
                        .open(path, Files.O_RDWR, 0, kernel.account())
                        .orThrow();
                Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = Resources.scratch(arena);
            MemorySegment page = arena.allocate(4096);
            assertThat(kernel.files().fsync(file)).isZero();
            long before = kernel.resources().blocksRead(scratch);
            kernel.files().pread(file, page, 0);
            assertThat(kernel.resources().blocksRead(scratch)).as("cached").isEqualTo(before);
            kernel.files().advise(file, 0, 0, Files.FADV_DONTNEED);
            assumeTrue(kernel.pageCache().residentBytes(file, 0, 100_000) == 0, "this file system keeps its pages");
            kernel.files().pread(file, page, 0);
            assertThat(kernel.resources().blocksRead(scratch)).isGreaterThanOrEqualTo(before + 8);
        }
    }

    /// On a thread of its own, which is gone afterwards.
    @Test
    void aThreadRunsShortlyOrGivesWay() throws Exception {
        Scheduling scheduling = kernel.scheduling();
        Scheduling.Attributes usual = scheduling.ofThread();
        assumeTrue(usual.policy() == 0 && usual.nice() < 10, "this process is scheduled in another way");
        CompletableFuture<Scheduling.Attributes> shortly = onItsOwn(() -> scheduling.runShortly(200_000));
        CompletableFuture<Scheduling.Attributes> nicer = onItsOwn(() -> scheduling.giveWay(5));

        assertThat(nicer.get().nice()).isEqualTo(usual.nice() + 5);
        assertThat(nicer.get().sliceNs()).isEqualTo(usual.sliceNs());
        assertThat(shortly.get().nice()).isEqualTo(usual.nice());
        assertThat(shortly.get().sliceNs()).as("0 before Linux 6.12").isEqualTo(usual.sliceNs() == 0 ? 0 : 200_000);
        assertThat(scheduling.ofThread()).isEqualTo(usual);
    }

    private CompletableFuture<Scheduling.Attributes> onItsOwn(LongSupplier change) {
        CompletableFuture<Scheduling.Attributes> told = new CompletableFuture<>();
        Thread.ofPlatform().start(() -> {
            try {
                assertThat(change.getAsLong()).isZero();
                told.complete(kernel.scheduling().ofThread());
            } catch (Throwable t) {
                told.completeExceptionally(t);
            }
        });
        return told;
    }

    @Test
    void withoutCachestatMincoreIsAsked() throws Exception {
        Path path = folder.resolve("file");
        java.nio.file.Files.write(path, new byte[100_000]);
        Kernel older = new Kernel((call, subject, position, length) -> call == Call.CACHESTAT ? -Errno.ENOSYS : length);
        try (Descriptor file =
                older.files().open(path, Files.O_RDWR, 0, older.account()).orThrow()) {
            assertThat(older.pageCache().residentBytes(file, 0, 100_000)).isEqualTo(100_000);
            assertThat(older.account().count(Call.MINCORE).calls()).isEqualTo(1);
            assertThat(older.account().count(Call.MUNMAP).calls()).isEqualTo(1);
        }
    }

    @Test
    void usageOnlyGrows() throws Exception {
        Resources.Totals before = kernel.resources().ofThread();
        long sum = 0;
        while (kernel.resources().ofThread().userNs()
                        + kernel.resources().ofThread().systemNs()
                == before.userNs() + before.systemNs()) {
            sum++;
        }
        assertThat(sum).isGreaterThanOrEqualTo(0);
        Resources.Totals process = kernel.resources().ofProcess();
        Resources.Totals thread = kernel.resources().ofThread();
        assertThat(process.userNs() + process.systemNs()).isGreaterThanOrEqualTo(before.userNs() + before.systemNs());
        assertThat(thread.minorFaults()).isGreaterThanOrEqualTo(before.minorFaults());
    }

    @Test
    void loopbackTakesPacketsInPiecesAndNoInterfaceIsNoDevice() throws Exception {
        try (Descriptor socket = kernel.sockets().stream(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), true, kernel.account())
                .orThrow()) {
            assertThat(kernel.interfaces().scatterGather(socket, "lo")).isEqualTo(1);
            assertThat(kernel.interfaces().scatterGather(socket, "no-such-thing0"))
                    .isEqualTo(-Errno.ENODEV);
            assertThat(kernel.interfaces().scatterGather(socket, "a name that no interface can have"))
                    .isEqualTo(-Errno.ENODEV);
        }
    }

    @Test
    void nonBlockingIsSetAndCleared() throws Exception {
        Pipes.Ends pipe = kernel.pipes().open(true, kernel.account());
        assertThat(kernel.files().openFlags(pipe.readEnd()) & Files.O_NONBLOCK).isZero();
        assertThat(kernel.files().setNonBlocking(pipe.readEnd(), true)).isZero();
        assertThat(kernel.files().openFlags(pipe.readEnd()) & Files.O_NONBLOCK).isNotZero();
        assertThat(kernel.files().setNonBlocking(pipe.readEnd(), false)).isZero();
        assertThat(kernel.files().openFlags(pipe.readEnd()) & Files.O_NONBLOCK).isZero();
        pipe.readEnd().close();
        pipe.writeEnd().close();
    }

    @Test
    void aSocketsTimeoutsAreReadBack() throws Exception {
        Descriptor[] pair = kernel.sockets().pair(true, kernel.account());
        assertThat(kernel.sockets().timeoutNs(pair[0], true)).isZero();
        assertThat(kernel.sockets().setTimeout(pair[0], true, 1_500_000_000)).isZero();
        assertThat(kernel.sockets().setTimeout(pair[0], false, 20_000_000)).isZero();
        assertThat(kernel.sockets().timeoutNs(pair[0], true)).isEqualTo(1_500_000_000);
        assertThat(kernel.sockets().timeoutNs(pair[0], false)).isEqualTo(20_000_000);
        try (Arena arena = Arena.ofConfined()) {
            assertThat(kernel.sockets().recv(pair[0], arena.allocate(1), 0)).isEqualTo(-Errno.EAGAIN);
        }
        pair[0].close();
        pair[1].close();
    }

    @Test
    void aTallyCountsOnceWhatIsMadeThroughItsDoor() throws Exception {
        Account tally = Account.root("tally");
        Kernel counting = kernel.tallying(tally);
        Account in = kernel.account().child("in");
        Account out = kernel.account().child("out");
        Path path = folder.resolve("file");
        java.nio.file.Files.write(path, new byte[100]);
        Descriptor[] pair = kernel.sockets().pair(true, out);
        try (Arena arena = Arena.ofConfined();
                Descriptor file =
                        kernel.files().open(path, Files.O_RDONLY, 0, in).orThrow()) {
            MemorySegment scratch = arena.allocate(8, 8);
            kernel.sockets().sendfile(pair[0], file, 0, 10, scratch);
            counting.sockets().sendfile(pair[0], file, 0, 20, scratch);
            assertThat(tally.count(Call.SENDFILE)).isEqualTo(new Account.Count(1, 0, 20));
            assertThat(in.count(Call.SENDFILE)).isEqualTo(new Account.Count(2, 0, 30));
            assertThat(out.count(Call.SENDFILE)).isEqualTo(new Account.Count(2, 0, 30));
            assertThat(kernel.account().count(Call.SENDFILE)).isEqualTo(new Account.Count(2, 0, 30));
            in.close();
            assertThat(kernel.account().count(Call.SENDFILE)).isEqualTo(new Account.Count(2, 0, 30));
            out.close();
            assertThat(kernel.account().count(Call.SENDFILE)).isEqualTo(new Account.Count(2, 0, 30));
        }
        pair[0].close();
        pair[1].close();
    }

    /// At most the slice for the errno, which the JDK makes in each call and the compiler removes in some
    /// compilations and not in others; interpreted, it is several times as much.
    @Test
    void askingForPagesInThePageCacheAllocatesNothingOfOurs() throws Exception {
        int calls = 1000;
        int mostRounds = 3000; // the first ones make classes
        long mostBytes = 64;
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Path path = java.nio.file.Files.write(folder.resolve("asked"), new byte[5000]);
        try (Descriptor file =
                kernel.files().open(path, Files.O_RDWR, 0, kernel.account()).orThrow()) {
            PageCache pageCache = kernel.pageCache();
            long least = Long.MAX_VALUE;
            for (int round = 0; round < mostRounds && least > calls * mostBytes; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                long sum = 0;
                for (int i = 0; i < calls; i++) {
                    sum += pageCache.residentBytes(file, 0, 5000);
                }
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
                assertThat(sum).isEqualTo(5_000_000);
            }
            assertThat(least).isLessThanOrEqualTo(calls * mostBytes);
        }
    }
}
