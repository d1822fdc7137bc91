package dev.sluice.io.async;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.support.Leaks;
import dev.sluice.io.support.SwitchGate;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What every [FileQueue] keeps. Each implementation's test extends this and says how one is opened.
abstract class FileQueueContract {
    static final int BLOCK = 4096;
    static final int DEPTH = 16;
    private static final int BUFFERS = 32;

    final SwitchGate gate = new SwitchGate();
    final Kernel kernel = new Kernel(gate);
    final Account account = Account.root("test");
    final Leaks leaks = new Leaks(kernel);
    final Answers answers = new Answers();

    BufferPool pool;
    FileQueue queue;
    Descriptor descriptor;
    QueuedFile file;

    @TempDir
    Path folder;

    abstract QueueConfig config();

    /// The calls that this queue's reads and writes of pool buffers are counted as.
    abstract Call readCall();

    abstract Call writeCall();

    abstract Call syncCall();

    /// What completions said, by token, in the order they came.
    static final class Answers implements Completion {
        final Map<Long, Integer> results = new HashMap<>();
        final List<Long> order = new ArrayList<>();

        @Override
        public void completed(FileOperation operation, int result) {
            assertThat(results.put(operation.token(), result))
                    .as("operation %d completed once", operation.token())
                    .isNull();
            order.add(operation.token());
        }

        int of(long token) {
            return results.get(token);
        }
    }

    @BeforeEach
    void open() throws Exception {
        pool = BufferPool.open(kernel, new BufferPool.Shape(BUFFERS, BLOCK, true));
        queue = FileQueues.open(kernel, pool, config(), account);
        descriptor = kernel.files()
                .open(folder.resolve("data"), Files.O_RDWR | Files.O_CREAT | Files.O_DIRECT, 0644, account)
                .orThrow();
        file = queue.attach(descriptor, 512);
    }

    @AfterEach
    void closeAndCount() throws Exception {
        gate.open();
        queue.close();
        queue.detach(file);
        descriptor.close();
        assertThat(pool.freeCount()).as("buffers that came back").isEqualTo(BUFFERS);
        pool.close();
        leaks.assertNone();
        leaks.assertNoMaps(account);
    }

    // ---- helpers ----

    PoolBuffer filled(int value) {
        PoolBuffer buffer = taken();
        buffer.segment().fill((byte) value);
        return buffer;
    }

    PoolBuffer taken() {
        PoolBuffer buffer = pool.take();
        assertThat(buffer).isNotNull();
        return buffer;
    }

    FileOperation operation(long token) {
        return new FileOperation(answers, token);
    }

    /// Stages a write of a block of `value` and lets go of the buffer.
    FileOperation stageWrite(long token, int value, long position) throws Exception {
        PoolBuffer buffer = filled(value);
        FileOperation write = operation(token).write(file, buffer, 0, BLOCK, position);
        assertThat(queue.stage(write)).isTrue();
        buffer.release();
        return write;
    }

    void awaitAll() throws Exception {
        while (queue.pending() > 0) {
            queue.await(queue.pending(), -1);
        }
    }

    /// The byte that a whole block of the file consists of, read past the queue; −1 for a mixed one.
    int blockValue(long position) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(BLOCK, 4096);
            assertThat(kernel.files().preadFully(descriptor, block, position)).isEqualTo(BLOCK);
            byte first = block.get(ValueLayout.JAVA_BYTE, 0);
            for (int i = 1; i < BLOCK; i++) {
                if (block.get(ValueLayout.JAVA_BYTE, i) != first) {
                    return -1;
                }
            }
            return Byte.toUnsignedInt(first);
        }
    }

    void lay(int blocks, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment content = arena.allocate((long) blocks * BLOCK, 4096).fill((byte) value);
            assertThat(kernel.files().pwriteFully(descriptor, content, 0)).isEqualTo(content.byteSize());
        }
    }

    // ---- reading and writing ----

    @Test
    void readsWhatItWrote() throws Exception {
        for (int i = 0; i < DEPTH; i++) {
            stageWrite(i, 100 + i, (long) i * BLOCK);
        }
        awaitAll();
        PoolBuffer[] read = new PoolBuffer[DEPTH];
        for (int i = 0; i < DEPTH; i++) {
            read[i] = taken();
            queue.stage(operation(100 + i).read(file, read[i], 0, BLOCK, (long) i * BLOCK));
        }
        awaitAll();

        for (int i = 0; i < DEPTH; i++) {
            assertThat(answers.of(i)).isEqualTo(BLOCK);
            assertThat(answers.of(100 + i)).isEqualTo(BLOCK);
            assertThat(read[i].segment().get(ValueLayout.JAVA_BYTE, BLOCK - 1)).isEqualTo((byte) (100 + i));
            read[i].release();
        }
    }

    @Test
    void movesPartsOfBuffersAndMemoryOfTheCallers() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment own = arena.allocate(BLOCK, 4096).fill((byte) 7);
            queue.stage(operation(1).write(file, own, 0));
            awaitAll();
            PoolBuffer part = filled(0);
            queue.stage(operation(2).read(file, part, 1024, 512, 512));
            awaitAll();

            assertThat(answers.results).containsEntry(1L, BLOCK).containsEntry(2L, 512);
            assertThat(part.segment().get(ValueLayout.JAVA_BYTE, 1023)).isZero();
            assertThat(part.segment().get(ValueLayout.JAVA_BYTE, 1024)).isEqualTo((byte) 7);
            assertThat(part.segment().get(ValueLayout.JAVA_BYTE, 1535)).isEqualTo((byte) 7);
            assertThat(part.segment().get(ValueLayout.JAVA_BYTE, 1536)).isZero();
            part.release();
        }
    }

    @Test
    void readsNothingPastTheEnd() throws Exception {
        lay(1, 1);
        PoolBuffer buffer = taken();
        queue.stage(operation(1).read(file, buffer, 0, BLOCK, 8L * BLOCK));
        awaitAll();

        assertThat(answers.of(1)).isZero();
        buffer.release();
    }

    @Test
    void runsManyMoreOperationsThanFit() throws Exception {
        int total = 50 * DEPTH;
        AtomicInteger left = new AtomicInteger(total);
        PoolBuffer buffer = filled(9);
        for (int i = 0; i < DEPTH; i++) {
            Completion again = (operation, result) -> {
                assertThat(result).isEqualTo(BLOCK);
                if (left.decrementAndGet() >= DEPTH) {
                    operation.write(file, buffer, 0, BLOCK, (long) left.get() * BLOCK);
                    try {
                        assertThat(queue.stage(operation)).isTrue();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                }
            };
            queue.stage(new FileOperation(again, i).write(file, buffer, 0, BLOCK, (long) i * BLOCK));
        }
        while (left.get() > 0) {
            queue.await(1, -1);
        }

        assertThat(queue.pending()).isZero();
        assertThat(account.count(writeCall()).bytes()).isEqualTo((long) total * BLOCK);
        buffer.release();
    }

    @Test
    void countsEachOperationAndItsBytesWhereItsFileIsCounted() throws Exception {
        stageWrite(1, 1, 0);
        queue.stage(operation(2).sync(file, true));
        awaitAll();

        assertThat(account.count(writeCall())).isEqualTo(new Account.Count(1, 0, BLOCK));
        assertThat(account.count(syncCall())).isEqualTo(new Account.Count(1, 0, 0));
    }

    // ---- bounds ----

    @Test
    void isFullAtItsDepth() throws Exception {
        for (int i = 0; i < DEPTH; i++) {
            stageWrite(i, i, (long) i * BLOCK);
        }
        PoolBuffer buffer = filled(99);
        FileOperation oneMore = operation(99).write(file, buffer, 0, BLOCK, 0);

        assertThat(queue.stage(oneMore)).isFalse();
        assertThat(oneMore.isPending()).isFalse();
        assertThat(buffer.references()).isEqualTo(1);

        queue.await(1, -1);
        assertThat(queue.stage(oneMore)).isTrue();
        buffer.release();
        awaitAll();
    }

    @Test
    void anOperationThatIsPendingCanBeNeitherFilledNorStaged() throws Exception {
        FileOperation write = stageWrite(1, 1, 0);

        assertThatThrownBy(() -> write.sync(file, true)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> queue.stage(write)).isInstanceOf(IllegalStateException.class);
        awaitAll();
        assertThat(answers.of(1)).isEqualTo(BLOCK);
    }

    @Test
    void aFileWithPendingOperationsCantBeDetached() throws Exception {
        stageWrite(1, 1, 0);

        assertThatThrownBy(() -> queue.detach(file)).isInstanceOf(IllegalStateException.class);
        awaitAll();
    }

    @Test
    void awaitsNothingWhenNothingIsWanted() throws Exception {
        assertThat(queue.await(0, -1)).isZero();
        assertThat(queue.await(5, -1)).isZero(); // nothing is pending, so nothing can come
    }

    @Test
    void waitsNoLongerThanItIsTold() throws Exception {
        try (Blocked blocked = new Blocked()) {
            FileOperation read = blocked.stageRead(1);

            assertThat(queue.await(1, 1_000_000)).isZero();
            assertThat(read.isPending()).isTrue();
            blocked.unblock();
            awaitAll();
            assertThat(answers.of(1)).isEqualTo(1);
        }
    }

    // ---- memory belongs to the kernel until completion ----

    @Test
    void aBufferLetGoOfEarlyIsNotReusedBeforeItsWriteIsOver() throws Exception {
        PoolBuffer buffer = filled(0x11);
        queue.stage(operation(1).write(file, buffer, 0, BLOCK, 0));
        buffer.release(); // the pool poisons what comes back
        awaitAll();

        assertThat(blockValue(0)).isEqualTo(0x11);
    }

    @Test
    void controlWithoutTheQueuesReferenceTheBufferIsPoisonedBeforeItsWrite() throws Exception {
        PoolBuffer buffer = filled(0x11);
        // The same bytes as memory of the caller's: nobody holds the buffer for the operation.
        queue.stage(operation(1).write(file, buffer.segment(), 0));
        buffer.release();
        awaitAll();

        assertThat(blockValue(0)).isEqualTo(Byte.toUnsignedInt(BufferPool.POISON));
    }

    @Test
    void aBufferThatTheKernelMayStillFillIsNotHandedOut() throws Exception {
        try (Blocked blocked = new Blocked()) {
            PoolBuffer buffer = taken();
            queue.stage(operation(1).read(blocked.file, buffer, 0, 512, -1));
            queue.submit();
            buffer.release();
            List<PoolBuffer> rest = new ArrayList<>();
            for (PoolBuffer other = pool.take(); other != null; other = pool.take()) {
                assertThat(other).isNotSameAs(buffer);
                rest.add(other);
            }

            assertThat(rest).hasSize(BUFFERS - 2); // the pipe's own has one, too
            blocked.unblock();
            awaitAll();
            assertThat(pool.take()).isSameAs(buffer);
            buffer.release();
            rest.forEach(PoolBuffer::release);
        }
    }

    @Test
    void aCompletionCanKeepTheBufferOfItsOperation() throws Exception {
        lay(1, 0x42);
        PoolBuffer buffer = taken();
        Completion keep = (operation, result) -> buffer.retain();
        queue.stage(new FileOperation(keep, 1).read(file, buffer, 0, BLOCK, 0));
        buffer.release();
        awaitAll();

        assertThat(buffer.references()).isEqualTo(1);
        assertThat(buffer.segment().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x42);
        buffer.release();
    }

    // ---- faults ----

    @Test
    void aRefusedOperationAnswersItsErrorWhenItCompletes() throws Exception {
        gate.set((call, subject, position, length) -> call == writeCall() && position == BLOCK ? -Errno.EIO : length);
        stageWrite(1, 1, 0);
        stageWrite(2, 2, BLOCK);
        stageWrite(3, 3, 2 * BLOCK);
        assertThat(answers.results).isEmpty();
        awaitAll();

        assertThat(answers.results)
                .containsEntry(1L, BLOCK)
                .containsEntry(2L, -Errno.EIO)
                .containsEntry(3L, BLOCK);
        assertThat(blockValue(0)).isEqualTo(1);
        assertThat(account.count(writeCall()).errors()).isEqualTo(1);
    }

    @Test
    void aShortCountIsAnsweredAsOneAndKeepsToTheGranularity() throws Exception {
        lay(1, 0);
        gate.set((call, subject, position, length) -> call == writeCall() ? 1500 : length);
        stageWrite(1, 5, 0);
        awaitAll();
        gate.open();

        assertThat(answers.of(1)).isEqualTo(1024);
        assertThat(blockValue(0)).as("half old, half new").isEqualTo(-1);
    }

    @Test
    void aSyncsErrorIsAnswered() throws Exception {
        gate.set((call, subject, position, length) -> call == syncCall() ? -Errno.EIO : length);
        queue.stage(operation(1).sync(file, true));
        awaitAll();

        assertThat(answers.of(1)).isEqualTo(-Errno.EIO);
    }

    @Test
    void theKernelsOwnErrorsAreAnswered() throws Exception {
        lay(1, 0);
        PoolBuffer buffer = taken();
        queue.stage(operation(1).read(file, buffer, 0, 100, 0)); // not a multiple of the block: EINVAL of O_DIRECT
        awaitAll();

        assertThat(answers.of(1)).isEqualTo(-Errno.EINVAL);
        buffer.release();
    }

    // ---- linked operations ----

    @Test
    void linkedOperationsRunInOrder() throws Exception {
        for (int round = 0; round < 50; round++) {
            answers.results.clear();
            PoolBuffer source = filled(round);
            PoolBuffer target = taken();
            queue.stage(operation(1).write(file, source, 0, BLOCK, 0).linked());
            queue.stage(operation(2).sync(file, true).linked());
            queue.stage(operation(3).read(file, target, 0, BLOCK, 0));
            awaitAll();

            assertThat(answers.results)
                    .containsEntry(1L, BLOCK)
                    .containsEntry(2L, 0)
                    .containsEntry(3L, BLOCK);
            assertThat(target.segment().get(ValueLayout.JAVA_BYTE, 100)).isEqualTo((byte) round);
            source.release();
            target.release();
        }
    }

    @Test
    void whatIsLinkedBehindAFailureIsCancelled() throws Exception {
        gate.set((call, subject, position, length) -> call == writeCall() && position == 0 ? -Errno.ENOSPC : length);
        PoolBuffer buffer = filled(3);
        queue.stage(operation(1).write(file, buffer, 0, BLOCK, 0).linked());
        queue.stage(operation(2).write(file, buffer, 0, BLOCK, BLOCK).linked());
        queue.stage(operation(3).sync(file, true));
        queue.stage(operation(4).write(file, buffer, 0, BLOCK, 2 * BLOCK)); // not linked to them
        buffer.release();
        awaitAll();

        assertThat(answers.results)
                .containsEntry(1L, -Errno.ENOSPC)
                .containsEntry(2L, -Errno.ECANCELED)
                .containsEntry(3L, -Errno.ECANCELED)
                .containsEntry(4L, BLOCK);
    }

    @Test
    void aFailureInTheMiddleOfAChainLeavesItsBeginning() throws Exception {
        gate.set((call, subject, position, length) -> call == writeCall() && position == BLOCK ? -Errno.EIO : length);
        PoolBuffer buffer = filled(3);
        queue.stage(operation(1).write(file, buffer, 0, BLOCK, 0).linked());
        queue.stage(operation(2).write(file, buffer, 0, BLOCK, BLOCK).linked());
        queue.stage(operation(3).sync(file, true));
        buffer.release();
        awaitAll();

        assertThat(answers.results)
                .containsEntry(1L, BLOCK)
                .containsEntry(2L, -Errno.EIO)
                .containsEntry(3L, -Errno.ECANCELED);
    }

    @Test
    void whatIsLinkedBehindAShortCountIsCancelled() throws Exception {
        gate.set((call, subject, position, length) -> call == writeCall() ? 512 : length);
        PoolBuffer buffer = filled(3);
        queue.stage(operation(1).write(file, buffer, 0, BLOCK, 0).linked());
        queue.stage(operation(2).sync(file, true));
        buffer.release();
        awaitAll();

        assertThat(answers.results).containsEntry(1L, 512).containsEntry(2L, -Errno.ECANCELED);
    }

    @Test
    void aChainWithoutItsEndIsNotSubmitted() throws Exception {
        PoolBuffer buffer = filled(3);
        queue.stage(operation(1).write(file, buffer, 0, BLOCK, 0).linked());

        assertThatThrownBy(() -> queue.submit()).isInstanceOf(IllegalStateException.class);
        queue.stage(operation(2).sync(file, true));
        buffer.release();
        awaitAll();
        assertThat(answers.of(2)).isZero();
    }

    // ---- cancelling ----

    /// A pipe that nobody writes to, and what blocks on it.
    final class Blocked implements AutoCloseable {
        final Pipes.Ends ends = kernel.pipes().open(true, account);
        final QueuedFile file = queue.attach(ends.readEnd(), 1);
        final PoolBuffer buffer = taken();

        Blocked() throws Exception {}

        FileOperation stageRead(long token) throws Exception {
            FileOperation read = operation(token).read(file, buffer, 0, 1, -1);
            assertThat(queue.stage(read)).isTrue();
            queue.submit();
            return read;
        }

        void unblock() {
            try (Arena arena = Arena.ofConfined()) {
                assertThat(kernel.files().write(ends.writeEnd(), arena.allocate(1)))
                        .isEqualTo(1);
            }
        }

        @Override
        public void close() {
            queue.detach(file);
            ends.readEnd().close();
            ends.writeEnd().close();
            buffer.release();
        }
    }

    @Test
    void whatHasNotBegunCanBeCancelled() throws Exception {
        // One operation that blocks for each thread that there may be; on a ring they block no one.
        try (Blocked blocker = new Blocked();
                Blocked victim = new Blocked()) {
            for (int i = 0; i < config().threads(); i++) {
                blocker.stageRead(i);
            }
            FileOperation read = victim.stageRead(99);

            assertThat(queue.cancel(read)).isTrue();
            queue.await(1, -1);
            assertThat(answers.results).containsOnlyKeys(99L).containsEntry(99L, -Errno.ECANCELED);
            for (int i = 0; i < config().threads(); i++) {
                blocker.unblock();
            }
            awaitAll();
            assertThat(answers.results).hasSize(1 + config().threads());
        }
    }

    @Test
    void whatIsOverCantBeCancelled() throws Exception {
        FileOperation write = stageWrite(1, 1, 0);
        awaitAll();

        assertThat(queue.cancel(write)).isFalse();
        assertThat(answers.of(1)).isEqualTo(BLOCK);
    }

    @Test
    void underLoadACancelledWriteIsNeverReportedAsDoneNorADoneOneAsCancelled() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        int rounds = 60;
        for (int round = 1; round <= rounds; round++) {
            lay(DEPTH, 0);
            answers.results.clear();
            FileOperation[] writes = new FileOperation[DEPTH];
            for (int i = 0; i < DEPTH; i++) {
                writes[i] = stageWrite(i, round, (long) i * BLOCK);
                if (random.nextInt(4) == 0) {
                    queue.submit();
                }
                if (random.nextInt(2) == 0) {
                    queue.cancel(writes[random.nextInt(i + 1)]);
                }
            }
            awaitAll();

            assertThat(answers.results).as("round %d", round).hasSize(DEPTH);
            for (int i = 0; i < DEPTH; i++) {
                int expected = answers.of(i) == BLOCK ? round : 0;
                assertThat(answers.of(i)).isIn(BLOCK, -Errno.ECANCELED);
                assertThat(blockValue((long) i * BLOCK))
                        .as("block %d of round %d", i, round)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void closingGivesUpWhatIsPendingAndTellsEachOperation() throws Exception {
        Pipes.Ends ends = kernel.pipes().open(true, account);
        QueuedFile pipe = queue.attach(ends.readEnd(), 1);
        PoolBuffer buffer = taken();
        queue.stage(operation(1).read(pipe, buffer, 0, 512, -1));
        buffer.release();
        stageWrite(2, 2, 0); // staged, never submitted by us
        // A thread inside read(2) can't be called back; it needs a byte.
        try (Arena arena = Arena.ofConfined()) {
            kernel.files().write(ends.writeEnd(), arena.allocate(1));
        }
        queue.close();

        assertThat(answers.results).containsOnlyKeys(1L, 2L);
        assertThat(answers.of(1)).isIn(1, -Errno.ECANCELED);
        assertThat(answers.of(2)).isIn(BLOCK, -Errno.ECANCELED);
        assertThat(pool.freeCount()).isEqualTo(BUFFERS);
        assertThatThrownBy(() -> queue.stage(operation(3).sync(file, true))).isInstanceOf(IllegalStateException.class);
        ends.readEnd().close();
        ends.writeEnd().close();
    }

    // ---- completions ----

    @Test
    void aCompletionMustNotWaitOnItsQueue() throws Exception {
        List<Throwable> thrown = new ArrayList<>();
        Completion waiting = (operation, result) -> {
            try {
                queue.await(1, -1);
            } catch (Exception e) {
                thrown.add(e);
            }
        };
        queue.stage(new FileOperation(waiting, 1).sync(file, true));
        awaitAll();

        assertThat(thrown).hasSize(1).first().isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatACompletionThrowsLosesNoOtherCompletion() throws Exception {
        Completion throwing = (operation, result) -> {
            throw new IllegalArgumentException("of the completion");
        };
        for (int i = 0; i < 4; i++) {
            queue.stage(new FileOperation(i % 2 == 0 ? throwing : answers, i).sync(file, true));
        }
        int thrown = 0;
        while (queue.pending() > 0) {
            try {
                queue.await(queue.pending(), -1);
            } catch (IllegalArgumentException e) {
                thrown++;
            }
        }

        assertThat(thrown).isEqualTo(2);
        assertThat(answers.results).containsOnlyKeys(1L, 3L);
    }

    @Test
    void isReadableForAnEventLoopWhileCompletionsWait() throws Exception {
        Descriptor readiness = queue.readiness();
        Descriptor epoll = kernel.epolls().create(account).orThrow();
        try (Arena arena = Arena.ofConfined()) {
            Epolls.Events events = new Epolls.Events(arena, 4);
            kernel.epolls().add(epoll, readiness, Epolls.EPOLLIN, 7);
            assertThat(kernel.epolls().await(epoll, events, 0)).isZero();

            stageWrite(1, 1, 0);
            queue.submit();
            assertThat(kernel.epolls().await(epoll, events, 60_000)).isEqualTo(1);
            assertThat(events.data(0)).isEqualTo(7);
            assertThat(queue.await(0, 0)).isEqualTo(1);
            while (kernel.epolls().await(epoll, events, 0) > 0) {
                // The kernel shows a completion before it says so; what it says behind our look is taken away by
                // another.
                assertThat(queue.await(0, 0)).isZero();
            }

            stageWrite(2, 1, 0);
            queue.submit();
            assertThat(kernel.epolls().await(epoll, events, 60_000)).isEqualTo(1);
            awaitAll();
        } finally {
            epoll.close();
        }
    }

    @Test
    void aDurableWriteIsOverWhenItIsOnTheDevice() throws Exception {
        // What is on the device is tested with a shut-down file system; here, that the flag reaches the kernel and is
        // taken.
        PoolBuffer buffer = filled(4);
        queue.stage(operation(1).write(file, buffer, 0, BLOCK, 0).durable());
        buffer.release();
        awaitAll();

        assertThat(answers.of(1)).isEqualTo(BLOCK);
        assertThat(blockValue(0)).isEqualTo(4);
    }

    @Test
    void filesPastTheTableWorkAsWell() throws Exception {
        List<Descriptor> more = new ArrayList<>();
        List<QueuedFile> attached = new ArrayList<>();
        for (int i = 0; i < config().files() + 3; i++) {
            Descriptor one = kernel.files()
                    .open(folder.resolve("more-" + i), Files.O_RDWR | Files.O_CREAT | Files.O_DIRECT, 0644, account)
                    .orThrow();
            more.add(one);
            attached.add(queue.attach(one, 512));
        }
        PoolBuffer buffer = filled(8);
        for (int i = 0; i < attached.size(); i++) {
            queue.stage(operation(i).write(attached.get(i), buffer, 0, BLOCK, 0));
            awaitAll();
        }
        buffer.release();

        assertThat(answers.results.values()).hasSize(attached.size()).containsOnly(BLOCK);
        attached.forEach(queue::detach);
        more.forEach(Descriptor::close);
    }
}
