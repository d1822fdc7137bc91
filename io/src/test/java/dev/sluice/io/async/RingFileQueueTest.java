package dev.sluice.io.async;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class RingFileQueueTest extends FileQueueContract {
    @Override
    QueueConfig config() {
        return QueueConfig.ofDepth(DEPTH)
                .on(QueueConfig.Engine.RING)
                .with(QueueConfig.Registration.REQUIRED)
                .withThreads(1);
    }

    @Override
    Call readCall() {
        return Call.RING_READ_FIXED;
    }

    @Override
    Call writeCall() {
        return Call.RING_WRITE_FIXED;
    }

    @Override
    Call syncCall() {
        return Call.RING_FSYNC;
    }

    private long enters() {
        return account.count(Call.IO_URING_ENTER).calls();
    }

    @Test
    void registersFilesAndBuffers() {
        assertThat(file.isRegistered()).isTrue();
        assertThat(queue.hasRegisteredBuffers()).isTrue();
        assertThat(queue.description()).contains("io_uring").contains("registered memory");
    }

    @Test
    void oneCallSubmitsABatchAndWaitsForIt() throws Exception {
        lay(DEPTH, 1);
        long before = enters();
        for (int i = 0; i < DEPTH; i++) {
            stageWrite(i, 2, (long) i * BLOCK);
        }
        awaitAll();

        assertThat(answers.results).hasSize(DEPTH);
        // Disks of this kind answer a batch at once or nearly; without batching there would be one call an operation.
        assertThat(enters() - before).isLessThan(DEPTH / 2);
    }

    @Test
    void entersThatAreInterruptedOrBusyAreMadeAgain() throws Exception {
        AtomicInteger failures = new AtomicInteger(3);
        int[] errnos = {Errno.EBUSY, Errno.EINTR, Errno.EINTR};
        stageWrite(1, 7, 0);
        gate.set((call, subject, position, length) ->
                call == Call.IO_URING_ENTER && failures.get() > 0 ? -errnos[failures.decrementAndGet()] : length);
        awaitAll();

        assertThat(failures.get()).isZero();
        assertThat(answers.of(1)).isEqualTo(BLOCK);
    }

    @Test
    void aKernelThatTakesAFewEntriesGetsTheRestLater() throws Exception {
        gate.set((call, subject, position, length) -> call == Call.IO_URING_ENTER ? Math.min(length, 3) : length);
        for (int i = 0; i < DEPTH; i++) {
            stageWrite(i, 50 + i, (long) i * BLOCK);
        }
        awaitAll();

        assertThat(answers.results).hasSize(DEPTH);
        for (int i = 0; i < DEPTH; i++) {
            assertThat(blockValue((long) i * BLOCK)).isEqualTo(50 + i);
        }
    }

    @Test
    void aChainThatTheKernelCutsInTwoIsCancelledBehindTheCut() throws Exception {
        // Of write → write → sync the first goes in, and the kernel takes no more: submitted later, the sync would not
        // wait.
        gate.set((call, subject, position, length) -> call == Call.IO_URING_ENTER ? Math.min(length, 1) : length);
        PoolBuffer buffer = filled(6);
        queue.stage(operation(1).write(file, buffer, 0, BLOCK, 0).linked());
        queue.stage(operation(2).write(file, buffer, 0, BLOCK, BLOCK).linked());
        queue.stage(operation(3).sync(file, true));
        queue.stage(operation(4).sync(file, true));
        buffer.release();
        awaitAll();

        assertThat(answers.results)
                .containsEntry(1L, BLOCK)
                .containsEntry(2L, -Errno.ECANCELED)
                .containsEntry(3L, -Errno.ECANCELED)
                .containsEntry(4L, 0);
    }

    @Test
    void aKernelThatKnowsFewerFlagsIsAskedForLess() throws Exception {
        AtomicInteger setups = new AtomicInteger();
        gate.set((call, subject, position, length) ->
                call == Call.IO_URING_SETUP && setups.incrementAndGet() < 3 ? -Errno.EINVAL : length);
        try (FileQueue plain = FileQueues.open(kernel, pool, config(), account)) {
            assertThat(setups.get()).isEqualTo(3);
            assertThat(plain.description()).doesNotContain("on request");
            QueuedFile same = plain.attach(descriptor, 512);
            PoolBuffer buffer = filled(5);
            plain.stage(operation(1).write(same, buffer, 0, BLOCK, 0));
            while (plain.pending() > 0) {
                plain.await(1, -1);
            }
            plain.detach(same);
            buffer.release();
            assertThat(answers.of(1)).isEqualTo(BLOCK);
        }
    }

    @Test
    void memoryThatCantBePinnedIsUsedAsItIsOrRefusedAsAsked() throws Exception {
        gate.set((call, subject, position, length) ->
                call == Call.IO_URING_REGISTER && position == 0 ? -Errno.ENOMEM : length);

        assertThatThrownBy(() -> FileQueues.open(kernel, pool, config(), account))
                .isInstanceOfSatisfying(PinningException.class, e -> {
                    assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
                    assertThat(e.neededBytes()).isEqualTo(pool.lengthBytes());
                });
        QueueConfig ifAllowed = config().with(QueueConfig.Registration.IF_ALLOWED);
        try (FileQueue unpinned = FileQueues.open(kernel, pool, ifAllowed, account)) {
            assertThat(unpinned.hasRegisteredBuffers()).isFalse();
            assertThat(unpinned.description()).contains("Pinning a buffer pool");
            QueuedFile same = unpinned.attach(descriptor, 512);
            PoolBuffer buffer = filled(5);
            unpinned.stage(operation(1).write(same, buffer, 0, BLOCK, 0));
            while (unpinned.pending() > 0) {
                unpinned.await(1, -1);
            }
            unpinned.detach(same);
            buffer.release();
            assertThat(answers.of(1)).isEqualTo(BLOCK);
            assertThat(account.count(Call.RING_WRITE).calls()).isEqualTo(1);
        }
    }

    @Test
    void aQueueOfASingleIssuerBelongsToTheThreadThatStagedFirst() throws Exception {
        queue.stage(operation(1).sync(file, true));
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                queue.stage(operation(2).sync(file, true));
            } catch (Throwable t) {
                thrown.set(t);
            }
        });
        other.join();

        assertThat(thrown.get()).isInstanceOf(IllegalStateException.class);
        awaitAll();
    }

    @Test
    void aQueueSharedByThreadsIsUsedByOneAfterTheOther() throws Exception {
        try (FileQueue shared = FileQueues.open(kernel, pool, config().sharedByThreads(), account)) {
            QueuedFile same = shared.attach(descriptor, 512);
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            for (int i = 0; i < 3; i++) {
                int token = i;
                Thread one = Thread.ofPlatform().start(() -> {
                    try {
                        PoolBuffer buffer = filled(token);
                        shared.stage(operation(token).write(same, buffer, 0, BLOCK, 0));
                        buffer.release();
                        shared.submit();
                    } catch (Throwable t) {
                        thrown.set(t);
                    }
                });
                one.join();
            }
            while (shared.pending() > 0) {
                shared.await(1, -1);
            }
            shared.detach(same);

            assertThat(thrown.get()).isNull();
            assertThat(answers.results.values()).hasSize(3).containsOnly(BLOCK);
        }
    }

    @Test
    void aVirtualThreadCantOwnAQueueOfASingleIssuer() throws Exception {
        try (FileQueue fresh = FileQueues.open(kernel, pool, config(), account)) {
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread.ofVirtual()
                    .start(() -> {
                        try {
                            fresh.await(0, 0);
                            fresh.stage(operation(1).sync(file, true));
                        } catch (Throwable t) {
                            thrown.set(t);
                        }
                    })
                    .join();

            assertThat(thrown.get()).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aPolledQueueReadsWhereTheDeviceIsPolledAndSaysSoWhereItIsNot() throws Exception {
        lay(1, 3);
        try (FileQueue polled = FileQueues.open(kernel, pool, config().polling(), account)) {
            QueuedFile same = polled.attach(descriptor, 512);
            PoolBuffer buffer = taken();
            polled.stage(operation(1).read(same, buffer, 0, BLOCK, 0));
            while (polled.pending() > 0) {
                polled.await(1, -1);
            }
            polled.detach(same);

            assertThat(polled.takesSyncs()).isFalse();
            assertThat(answers.of(1)).isIn(BLOCK, -Errno.EOPNOTSUPP);
            buffer.release();
        }
    }

    @Test
    void anEnterThatFailsForGoodIsToldToTheCaller() throws Exception {
        stageWrite(1, 1, 0);
        gate.set((call, subject, position, length) -> call == Call.IO_URING_ENTER ? -Errno.EBADF : length);

        assertThatThrownBy(() -> queue.submit()).isInstanceOf(ErrnoException.class);
        gate.open();
        awaitAll();
        assertThat(answers.of(1)).isEqualTo(BLOCK);
    }
}
