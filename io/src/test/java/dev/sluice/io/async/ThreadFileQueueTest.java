package dev.sluice.io.async;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

class ThreadFileQueueTest extends FileQueueContract {
    @Override
    QueueConfig config() {
        return QueueConfig.ofDepth(DEPTH).on(QueueConfig.Engine.THREADS).withThreads(3);
    }

    @Override
    Call readCall() {
        return Call.PREADV2;
    }

    @Override
    Call writeCall() {
        return Call.PWRITEV2;
    }

    @Override
    Call syncCall() {
        return Call.FDATASYNC;
    }

    @Test
    void standsInWhereTheRingIsRefused() throws Exception {
        for (int errno : new int[] {Errno.ENOSYS, Errno.EPERM, Errno.EACCES}) {
            gate.set((call, subject, position, length) -> call == Call.IO_URING_SETUP ? -errno : length);
            QueueConfig best = QueueConfig.ofDepth(4);
            try (FileQueue standIn = FileQueues.open(kernel, pool, best, account)) {
                assertThat(standIn).isInstanceOf(ThreadFileQueue.class);
                assertThat(standIn.description()).contains("io_uring_setup").contains(Errno.name(errno));
            }
            Assertions.assertThatThrownBy(
                            () -> FileQueues.open(kernel, pool, best.on(QueueConfig.Engine.RING), account))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
        }
    }

    @Test
    void runningOutOfDescriptorsIsNoReasonToStandIn() {
        gate.set((call, subject, position, length) -> call == Call.IO_URING_SETUP ? -Errno.EMFILE : length);

        Assertions.assertThatThrownBy(() -> FileQueues.open(kernel, pool, QueueConfig.ofDepth(4), account))
                .isInstanceOf(ErrnoException.class);
    }
}
