package dev.sluice.io.async;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.IoVectors;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.VectoredFiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A [FileQueue] on a few platform threads that make blocking calls, for kernels and sandboxes without io_uring.
///
/// The owner stages into a list of its own; submitting moves it, under the lock, to the queue of work, one element a
/// chain of linked operations. A thread takes a chain, runs it without the lock, and puts it into the list of what is
/// over, which the owner takes whole. An operation belongs to one of the three at any time, and the lock orders what
/// they write to it.
///
/// The threads are daemons named `sluice-files-N`, made with the queue and ended by [#close].
final class ThreadFileQueue implements FileQueue {
    private final Kernel kernel;
    private final Account owner;
    private final int depth;
    private final String description;
    private final Thread[] threads;
    private final ArrayDeque<FileOperation> staged = new ArrayDeque<>();
    private @Nullable FileOperation chainEnd;
    private int pending;
    private boolean completing;
    private boolean closed;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition workCame = lock.newCondition();
    private final Condition someAreOver = lock.newCondition();

    // Guarded by the lock.
    private final ArrayDeque<FileOperation> work = new ArrayDeque<>();
    private @Nullable FileOperation firstOver;
    private @Nullable FileOperation lastOver;
    private int overCount;
    private boolean stopping;
    private @Nullable Throwable broken;
    private @Nullable Descriptor eventfd;

    private final MemorySegment counter = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);

    ThreadFileQueue(Kernel kernel, QueueConfig config, Account owner, String why) {
        this.kernel = kernel;
        this.owner = owner;
        this.depth = config.depth();
        this.threads = new Thread[Math.min(config.threads(), config.depth())];
        this.description = threads.length + " threads with preadv2 and pwritev2, depth " + depth + ", " + why;
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofPlatform().daemon().name("sluice-files-" + i).start(this::work);
        }
    }

    @Override
    public int depth() {
        return depth;
    }

    @Override
    public int pending() {
        return pending;
    }

    @Override
    public QueuedFile attach(Descriptor file, int granularity) {
        return new QueuedFile(file, granularity, QueuedFile.UNREGISTERED);
    }

    @Override
    public void detach(QueuedFile file) {
        if (file.pending() > 0) {
            throw new IllegalStateException(file.pending() + " operations are pending on " + file);
        }
    }

    @Override
    public boolean stage(FileOperation operation) {
        requireOpen();
        if (pending == depth) {
            if (chainEnd != null) {
                throw new IllegalStateException(
                        "linked operations need room for all of them before the first is staged");
            }
            return false;
        }
        operation.begin();
        pending++;
        if (chainEnd != null) {
            chainEnd.follower = operation;
        } else {
            staged.addLast(operation);
        }
        chainEnd = operation.linked ? operation : null;
        return true;
    }

    @Override
    public void submit() {
        requireOpen();
        if (chainEnd != null) {
            throw new IllegalStateException("the operation staged last is linked to one that is not staged");
        }
        if (staged.isEmpty()) {
            return;
        }
        lock.lock();
        try {
            for (FileOperation chain = staged.pollFirst(); chain != null; chain = staged.pollFirst()) {
                work.addLast(chain);
                workCame.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int await(int minimum, long timeoutNs) {
        if (completing) {
            throw new IllegalStateException("a completion must not wait on its queue");
        }
        submit();
        waitForOver(Math.min(minimum, pending), timeoutNs);
        return complete();
    }

    private void waitForOver(int minimum, long timeoutNs) {
        boolean interrupted = false;
        long leftNs = timeoutNs;
        lock.lock();
        try {
            // An interrupt is kept for later, as it would be by a thread inside io_uring_enter.
            while (overCount < minimum && broken == null && (timeoutNs < 0 || leftNs > 0)) {
                try {
                    if (timeoutNs < 0) {
                        someAreOver.await();
                    } else {
                        leftNs = someAreOver.awaitNanos(leftNs);
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                    if (timeoutNs >= 0) {
                        break; // the time left is not known; the caller comes again
                    }
                }
            }
            if (broken != null) {
                throw new IllegalStateException("a thread of the queue died", broken);
            }
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private int complete() {
        int done = 0;
        completing = true;
        try {
            for (FileOperation over = pollOver(); over != null; over = pollOver()) {
                pending--;
                done++;
                over.finish(over.result);
            }
        } finally {
            completing = false;
        }
        return done;
    }

    /// One at a time, so that what a completion throws loses no other; the last one takes the readiness away.
    private @Nullable FileOperation pollOver() {
        lock.lock();
        try {
            FileOperation over = firstOver;
            if (over != null) {
                firstOver = over.next;
                over.next = null;
                overCount--;
                if (firstOver == null) {
                    lastOver = null;
                    if (eventfd != null) {
                        kernel.files().read(eventfd, counter);
                    }
                }
            }
            return over;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean cancel(FileOperation operation) {
        requireOpen();
        if (!operation.pending) {
            return false;
        }
        lock.lock();
        try {
            operation.cancelled = true;
            // What no thread has taken need not wait for one.
            if (!operation.begun && work.remove(operation)) {
                for (FileOperation one = operation; one != null; one = one.follower) {
                    over(one, -Errno.ECANCELED);
                }
            }
        } finally {
            lock.unlock();
        }
        return true;
    }

    @Override
    public Descriptor readiness() throws ErrnoException {
        lock.lock();
        try {
            if (eventfd == null) {
                eventfd = kernel.epolls().eventfd(owner).orThrow();
                counter.set(ValueLayout.JAVA_LONG, 0, 1);
                if (overCount > 0) {
                    signalReadiness();
                }
            }
            return eventfd;
        } finally {
            lock.unlock();
        }
    }

    private void signalReadiness() {
        if (eventfd != null) {
            counter.set(ValueLayout.JAVA_LONG, 0, 1);
            kernel.files().write(eventfd, counter);
        }
    }

    @Override
    public boolean takesSyncs() {
        return true;
    }

    @Override
    public boolean outlivesProcess() {
        return false;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public boolean hasRegisteredBuffers() {
        return false;
    }

    // ---- the threads ----

    private void work() {
        IoVectors vectors = new IoVectors(Arena.ofAuto(), 1);
        try {
            for (FileOperation chain = take(); chain != null; chain = take()) {
                run(chain, vectors);
            }
        } catch (Throwable t) { // a mistake of ours; the owner is told instead of waiting for ever
            lock.lock();
            try {
                broken = t;
                someAreOver.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private @Nullable FileOperation take() {
        lock.lock();
        try {
            while (work.isEmpty()) {
                if (stopping) {
                    return null;
                }
                workCame.awaitUninterruptibly();
            }
            FileOperation chain = work.removeFirst();
            chain.begun = true;
            return chain;
        } finally {
            lock.unlock();
        }
    }

    private void run(FileOperation chain, IoVectors vectors) {
        boolean broke = false;
        FileOperation one = chain;
        while (one != null) {
            boolean skip = broke || isCancelled(one);
            int result = skip ? -Errno.ECANCELED : perform(one, vectors);
            broke = result < 0 || result != one.lengthBytes;
            // From its being over the owner may fill it again, so what follows is read before.
            FileOperation follower = one.follower;
            lock.lock();
            try {
                over(one, result);
            } finally {
                lock.unlock();
            }
            one = follower;
        }
    }

    private boolean isCancelled(FileOperation operation) {
        lock.lock();
        try {
            operation.begun = !operation.cancelled;
            return operation.cancelled;
        } finally {
            lock.unlock();
        }
    }

    private int perform(FileOperation operation, IoVectors vectors) {
        QueuedFile file = operation.requireFile();
        MemorySegment memory = operation.memory;
        if (memory == null) {
            return (int)
                    (operation.dataOnly
                            ? kernel.files().fdatasync(file.descriptor())
                            : kernel.files().fsync(file.descriptor()));
        }
        vectors.clear();
        vectors.add(memory);
        int flags = operation.durable ? VectoredFiles.RWF_DSYNC : 0;
        VectoredFiles calls = kernel.vectoredFiles();
        return (int)
                (operation.kind == FileOperation.Kind.READ
                        ? calls.preadv2(file.descriptor(), vectors, operation.position, flags, file.granularity())
                        : calls.pwritev2(file.descriptor(), vectors, operation.position, flags, file.granularity()));
    }

    /// With the lock held.
    private void over(FileOperation operation, int result) {
        operation.result = result;
        operation.next = null;
        if (lastOver == null) {
            firstOver = operation;
            signalReadiness();
        } else {
            lastOver.next = operation;
        }
        lastOver = operation;
        overCount++;
        someAreOver.signal();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the queue is closed");
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        chainEnd = null;
        submit();
        RuntimeException thrown = null;
        cancelWork();
        while (pending > 0) {
            try {
                await(pending, -1);
            } catch (RuntimeException e) { // of a completion; the others are to be told too
                if (broken != null) {
                    throw e;
                }
                thrown = e;
            }
        }
        closed = true;
        lock.lock();
        try {
            stopping = true;
            workCame.signalAll();
        } finally {
            lock.unlock();
        }
        for (Thread thread : threads) {
            joinUninterruptibly(thread);
        }
        if (eventfd != null) {
            eventfd.close();
        }
        if (thrown != null) {
            throw thrown;
        }
    }

    private void cancelWork() {
        lock.lock();
        try {
            for (FileOperation chain = work.pollFirst(); chain != null; chain = work.pollFirst()) {
                FileOperation one = chain;
                while (one != null) {
                    FileOperation follower = one.follower;
                    over(one, -Errno.ECANCELED);
                    one = follower;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private static void joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(60));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
