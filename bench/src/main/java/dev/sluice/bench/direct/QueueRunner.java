package dev.sluice.bench.direct;

import dev.sluice.bench.tools.CpuClock;
import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.Completion;
import dev.sluice.io.async.FileOperation;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.FileQueues;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.direct.DirectFile;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.SplittableRandom;

/// Runs a workload by a [FileQueue]: each operation that is over is filled and staged again at once.
final class QueueRunner implements Completion {
    private final Workload workload;
    private final FileQueue queue;
    private final DirectFile file;
    private final PoolBuffer[] buffers;
    private final long blocksInFile;
    private final SplittableRandom random = new SplittableRandom();
    private long started;
    private long done;

    private QueueRunner(Workload workload, FileQueue queue, DirectFile file, PoolBuffer[] buffers) {
        this.workload = workload;
        this.queue = queue;
        this.file = file;
        this.buffers = buffers;
        this.blocksInFile = file.sizeBytes() / workload.blockBytes();
    }

    static Run run(Workload workload, Path path, QueueConfig config) throws IOException {
        Kernel kernel = new Kernel();
        Account account = Account.root("bench");
        BufferPool pool = BufferPool.open(kernel, new BufferPool.Shape(workload.depth(), workload.blockBytes()));
        try (pool;
                FileQueue queue = FileQueues.open(kernel, pool, config, account);
                DirectFile file = DirectFile.open(kernel, queue, pool, path, DirectFile.Access.READ_WRITE, account)) {
            PoolBuffer[] buffers = new PoolBuffer[workload.depth()];
            for (int i = 0; i < buffers.length; i++) {
                buffers[i] = Objects.requireNonNull(pool.take(), "the pool is as large as the depth");
            }
            double processBefore = CpuClock.processSeconds();
            double machineBefore = CpuClock.machineSeconds();
            long begin = System.nanoTime();
            new QueueRunner(workload, queue, file, buffers).runAll();
            double seconds = (System.nanoTime() - begin) / 1e9;
            Run run = new Run(
                    workload,
                    seconds,
                    CpuClock.processSeconds() - processBefore,
                    CpuClock.machineSeconds() - machineBefore);
            for (PoolBuffer buffer : buffers) {
                buffer.release();
            }
            return run;
        }
    }

    private void runAll() throws ErrnoException {
        for (int i = 0; i < workload.depth(); i++) {
            fillAndStage(new FileOperation(this, i));
        }
        while (done < workload.operations()) {
            queue.await(1, -1);
        }
    }

    private void fillAndStage(FileOperation operation) {
        if (started == workload.operations()) {
            return;
        }
        long block = workload.random() ? random.nextLong(blocksInFile) : started % blocksInFile;
        started++;
        PoolBuffer buffer = buffers[(int) operation.token()];
        long position = block * workload.blockBytes();
        if (workload.writes()) {
            operation.write(file.queued(), buffer, 0, workload.blockBytes(), position);
        } else {
            operation.read(file.queued(), buffer, 0, workload.blockBytes(), position);
        }
        try {
            queue.stage(operation);
        } catch (ErrnoException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void completed(FileOperation operation, int result) {
        if (result != workload.blockBytes()) {
            throw new IllegalStateException(
                    result < 0 ? Errno.describe(-result) : "a short count of " + result + " bytes");
        }
        done++;
        fillAndStage(operation);
    }
}
