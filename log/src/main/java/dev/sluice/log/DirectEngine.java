package dev.sluice.log;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.Completion;
import dev.sluice.io.async.FileOperation;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.FileQueues;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.async.QueuedFile;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import dev.sluice.io.linux.Pipes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// The engine that writes past the page cache: O_DIRECT by io_uring, from a pool that is registered with the kernel.
///
/// ```
///  receive buffer ──copy──▶ pool ──DMA──▶ disk        one thread submits and completes, for all partitions
///                            │                        acknowledged, and shown, when the write is over
///                            └──send──▶ readers of the newest bytes
/// ```
///
/// **Threads.** Owners of segments' ends copy into the pool and enqueue their writers; one thread, made with the
/// engine, has the queue. It sleeps in the queue, with a read of a pipe among its operations by which it is woken.
///
/// **Memory.** The pool never grows. Buffers of bytes that are written stay for readers until somebody needs one; then
/// the one goes that was taken first. Readers may hold half of the pool: who asks for more is given the file.
///
/// **A killed process.** What it had submitted goes on after it is gone, and would be written over what the next
/// broker appends. So the ring keeps [OrphanWrites]'s lock until its last write is over, and who opens the folder
/// waits for that.
final class DirectEngine implements SegmentWriter.Engine {
    private static final int FILES = 256;
    private static final int FALLBACK_THREADS = 5; // four for the disk, one waits to be woken
    /// Reserving waits for the write under way, so it is done seldom.
    private static final long STEP_FACTOR = 8;

    private static final long RETRY_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long END_MS = 10_000;
    private static final long LOOK_MS = 10;

    private final Kernel kernel;
    private final OrphanWrites lock;
    private final BufferPool pool;
    private final FileQueue queue;
    private final QueuedFile lockFile;
    private final Pipes.Ends pipe;
    private final QueuedFile pipeEnd;
    private final Thread thread;

    private final Queue<DirectSegmentWriter> inbox = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean sleeping = new AtomicBoolean();
    /// Writers that are open, or have an operation under way.
    private final Set<DirectSegmentWriter> writers = ConcurrentHashMap.newKeySet();
    private final Queue<Staged> oldest = new ConcurrentLinkedQueue<>();
    private final AtomicInteger lent = new AtomicInteger();
    private final Object memoryFreed = new Object();
    private volatile boolean stopping;
    private volatile boolean over;

    // The thread's.
    private final ArrayDeque<Write> idle = new ArrayDeque<>();
    private final ArrayDeque<Retry> retries = new ArrayDeque<>();
    private final MemorySegment wakeBytes = Arena.ofAuto().allocate(64);
    private final FileOperation wakeRead = new FileOperation((_, _) -> {}, 0);

    private static final MemorySegment ONE_BYTE = Arena.global().allocate(ValueLayout.JAVA_BYTE);

    private record Staged(DirectSegmentWriter writer, PoolBuffer buffer) {}

    private record Retry(DirectSegmentWriter writer, long atNs) {}

    /// One operation of a writer, used again and again. The thread's.
    static final class Write implements Completion {
        private final DirectEngine engine;
        private final FileOperation operation = new FileOperation(this, 0);
        private @Nullable DirectSegmentWriter writer;
        private long position;
        private int lengthBytes;
        private int result;

        private Write(DirectEngine engine) {
            this.engine = engine;
        }

        FileOperation operation() {
            return operation;
        }

        long position() {
            return position;
        }

        int lengthBytes() {
            return lengthBytes;
        }

        int result() {
            return result;
        }

        @Override
        public void completed(FileOperation over, int newResult) {
            result = newResult;
            DirectSegmentWriter of = writer;
            assert of != null : "a write that belongs to nobody";
            switch (of.completed()) {
                case ADVANCE -> engine.inbox.add(of);
                case RETRY -> engine.retries.add(new Retry(of, System.nanoTime() + RETRY_NS));
                case NOTHING -> {}
            }
        }
    }

    // ---- How it starts

    static DirectEngine start(Kernel kernel, Path folder, Account account, DirectOptions options) throws IOException {
        OrphanWrites lock = OrphanWrites.keepLocked(kernel, folder, account);
        BufferPool pool = null;
        try {
            pool = BufferPool.open(kernel, new BufferPool.Shape(options.buffers(), DirectOptions.BUFFER_BYTES));
            return new DirectEngine(kernel, lock, pool, options.queue(), account.child("direct engine"));
        } catch (IOException | RuntimeException | Error e) {
            lock.close();
            if (pool != null) {
                pool.close();
            }
            throw e;
        }
    }

    private DirectEngine(Kernel kernel, OrphanWrites lock, BufferPool pool, QueueConfig.Engine wanted, Account account)
            throws IOException {
        this.kernel = kernel;
        this.lock = lock;
        this.pool = pool;
        // Each buffer is in at most two operations at a time, and the pipe in one.
        QueueConfig config = new QueueConfig(
                2 * pool.count() + 2,
                FILES,
                wanted,
                QueueConfig.Registration.IF_ALLOWED,
                true,
                false,
                FALLBACK_THREADS);
        FileQueue opened = FileQueues.open(kernel, pool, config, account);
        QueuedFile locked = opened.attach(lock.file(), 1);
        if (opened.outlivesProcess() && !locked.isRegistered()) {
            opened.close(); // a ring that can't keep the lock is of no use
            opened = FileQueues.open(kernel, pool, config.on(QueueConfig.Engine.THREADS), account);
            locked = opened.attach(lock.file(), 1);
        }
        this.queue = opened;
        this.lockFile = locked;
        try {
            this.pipe = kernel.pipes().open(true, account);
        } catch (ErrnoException e) {
            opened.close();
            throw e;
        }
        this.pipeEnd = opened.attach(pipe.readEnd(), 1);
        this.thread = Thread.ofPlatform().name("sluice-direct").daemon().start(this::run);
    }

    int buffers() {
        return pool.count();
    }

    @Override
    public boolean isAsynchronous() {
        return true;
    }

    @Override
    public boolean isPastPageCache() {
        return true;
    }

    @Override
    public String description() {
        return "direct, " + pool.lengthBytes() + " bytes of pool, " + queue.description();
    }

    @Override
    public SegmentWriter open(
            Kernel by, Descriptor file, long endBytes, long stepBytes, SegmentWriter.Progress progress)
            throws ErrnoException {
        byte[] tail = readTail(by, file, endBytes);
        Opened opened = by.files().open(Path.of(file.name()), Files.O_WRONLY | Files.O_DIRECT, 0, file.account());
        if (opened instanceof Opened.Failed failed) {
            throw new ErrnoException(Call.OPENAT, failed.errno(), file.name() + " with O_DIRECT");
        }
        DirectSegmentWriter writer = new DirectSegmentWriter(
                this, by, file, opened.orThrow(), endBytes, tail, stepBytes * STEP_FACTOR, progress);
        writers.add(writer);
        if (over) { // behind whoever failed those that there were
            writer.fail(Errno.EIO);
        }
        return writer;
    }

    /// The bytes of the last block: they are written again with those that follow.
    private static byte[] readTail(Kernel by, Descriptor file, long endBytes) throws ErrnoException {
        int length = Staging.tailBytes(endBytes);
        byte[] tail = new byte[length];
        if (length > 0) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(length);
                long read = by.files().preadFully(file, bytes, endBytes - length);
                ErrnoException.check(read, Call.PREAD, file.name());
                if (read < length) {
                    throw new ErrnoException(Call.PREAD, Errno.EIO, file.name(), endBytes - length);
                }
                MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, tail, 0, length);
            }
        }
        return tail;
    }

    // ---- Memory, for any thread

    /// Adds one buffer to `spare`.
    ///
    /// @return false when all are on their way to the disk or with readers
    boolean takeBuffer(ArrayDeque<PoolBuffer> spare) {
        PoolBuffer buffer = pool.take();
        for (int left = oldest.size(); buffer == null && left > 0; left--) {
            Staged next = oldest.poll();
            if (next == null) {
                break;
            }
            if (next.writer().evict(next.buffer()) == Staging.Eviction.NEEDED) {
                oldest.add(next);
            }
            buffer = pool.take();
        }
        if (buffer != null) {
            spare.add(buffer);
        }
        return buffer != null;
    }

    /// A buffer is used by a writer from now on.
    void staged(DirectSegmentWriter writer, PoolBuffer buffer) {
        oldest.add(new Staged(writer, buffer));
    }

    /// A writer is closed, and has no buffers any more.
    void forget(DirectSegmentWriter writer) {
        oldest.removeIf(staged -> staged.writer() == writer);
        tellMemoryFreed();
    }

    /// Whether readers may hold so many buffers more.
    boolean lend(int count) {
        if (lent.addAndGet(count) <= pool.count() / 2) {
            return true;
        }
        lent.addAndGet(-count);
        return false;
    }

    void lent(int count) {
        lent.addAndGet(-count);
    }

    @Override
    @SuppressWarnings("WaitNotInLoop") // the caller looks again, whatever woke it
    public boolean awaitMemory() {
        try {
            synchronized (memoryFreed) {
                memoryFreed.wait(LOOK_MS); // readers give back without a word
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void tellMemoryFreed() {
        synchronized (memoryFreed) {
            memoryFreed.notifyAll();
        }
    }

    // ---- The thread

    /// There is something to do for a writer. From any thread.
    void enqueue(DirectSegmentWriter writer) {
        inbox.add(writer);
        if (over) {
            drainAfterEnd();
        } else if (sleeping.compareAndSet(true, false)) {
            wake();
        }
    }

    private void wake() {
        kernel.files().write(pipe.writeEnd(), ONE_BYTE);
    }

    Write write(DirectSegmentWriter writer, long position, int lengthBytes) {
        Write write = idle.isEmpty() ? new Write(this) : idle.removeLast();
        write.writer = writer;
        write.position = position;
        write.lengthBytes = lengthBytes;
        return write;
    }

    void done(Write write) {
        write.writer = null;
        idle.addLast(write);
    }

    private void run() {
        try {
            while (!(stopping && inbox.isEmpty() && isIdle())) {
                turn();
            }
        } catch (ErrnoException | RuntimeException | Error e) {
            Thread.currentThread().getUncaughtExceptionHandler().uncaughtException(thread(), e);
        } finally {
            end();
        }
    }

    private static Thread thread() {
        return Thread.currentThread();
    }

    private boolean isIdle() {
        return queue.pending() <= (wakeRead.isPending() ? 1 : 0);
    }

    private void turn() throws ErrnoException {
        for (DirectSegmentWriter writer = inbox.poll(); writer != null; writer = inbox.poll()) {
            advance(writer);
        }
        if (!wakeRead.isPending()) {
            queue.stage(wakeRead.read(pipeEnd, wakeBytes, Pipes.NO_POSITION));
        }
        sleeping.set(true);
        boolean waits = inbox.isEmpty() && !(stopping && isIdle());
        queue.await(waits ? 1 : 0, retries.isEmpty() ? -1 : untilRetryNs());
        sleeping.set(false);
        tellMemoryFreed();
        while (!retries.isEmpty() && untilRetryNs() == 0) {
            inbox.add(retries.remove().writer());
        }
    }

    private void advance(DirectSegmentWriter writer) throws ErrnoException {
        if (!writer.advance(queue)) {
            writers.remove(writer);
        }
    }

    private long untilRetryNs() {
        Retry first = retries.peek();
        return first == null ? 0 : Math.max(0, first.atNs() - System.nanoTime());
    }

    // ---- How it ends

    /// What is under way comes to its end first: closing a queue waits for that.
    private void end() {
        over = true;
        try {
            wake(); // so that the read of the pipe is no reason to wait
            writers.forEach(writer -> writer.fail(Errno.EIO));
            while (queue.pending() > 0) {
                queue.await(1, -1);
            }
            retries.forEach(retry -> inbox.add(retry.writer()));
            drainAfterEnd();
            queue.detach(lockFile);
            queue.detach(pipeEnd);
            queue.close();
            pool.close();
        } catch (ErrnoException | RuntimeException e) {
            thread().getUncaughtExceptionHandler().uncaughtException(thread(), e);
        }
        pipe.readEnd().close();
        pipe.writeEnd().close();
        lock.close();
    }

    /// Closes the files of writers that were closed.
    private synchronized void drainAfterEnd() {
        for (DirectSegmentWriter writer = inbox.poll(); writer != null; writer = inbox.poll()) {
            writer.closeFile();
            writers.remove(writer);
        }
    }

    @Override
    public void close() {
        stopping = true;
        wake();
        try {
            // A disk that does not answer must not hold up the end for ever: the thread then ends later, and whoever
            // opens the folder before waits for it.
            if (!thread.join(java.time.Duration.ofMillis(END_MS))) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
