package dev.sluice.io.async;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Limits;
import dev.sluice.io.linux.Ring;
import dev.sluice.io.linux.Submission;
import dev.sluice.io.linux.VectoredFiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A [FileQueue] on io_uring: one system call submits a batch and waits for completions.
///
/// Each pending operation has a slot; its entry carries slot and generation as user data, so that a late cancellation
/// never hits the slot's next user. Four times the depth of completions fit into the ring, enough for all pending
/// operations and their cancellations; should they not be, the kernel keeps the rest back until there is room
/// (FEAT_NODROP).
///
/// An operation that the gate refuses is staged as a NOP in its place, and the refusal is its answer when the NOP
/// completes: a fault plan's errors come as late, in the same order and with the same effect on linked operations, as a
/// device's.
final class RingFileQueue implements FileQueue {
    /// User data of a cancellation: the bit, and the slot of what it cancels.
    private static final long CANCELLATION = 1L << 63;

    private final Kernel kernel;
    private final Account owner;
    private final Ring ring;
    private final @Nullable BufferPool pool;
    private final boolean singleIssuer;
    private final String description;
    private final @Nullable FileOperation[] operations;
    private final int[] generations;
    private final int[] freeSlots;
    private int freeSlotCount;

    /// Slots of the table of registered files that are free, as a stack; empty where there is no table.
    private final int[] freeFiles;

    private int freeFileCount;
    private boolean registered;
    private boolean enabled;
    private boolean completing;
    private boolean closed;

    /// The operation staged last is linked to the next one.
    private boolean chainOpen;
    /// One of the open chain was refused, and so is all that follows in it.
    private boolean chainRefused;

    private @Nullable Thread issuer;
    private @Nullable Descriptor eventfd;
    private final MemorySegment eventCount = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);

    static RingFileQueue open(Kernel kernel, @Nullable BufferPool pool, QueueConfig config, Account owner)
            throws ErrnoException, PinningException {
        // Twice the depth: as many cancellations as operations may be staged.
        Ring ring = kernel.ioUrings()
                .open(2 * config.depth(), new Ring.Traits(config.singleIssuer(), config.polled()), owner);
        try {
            for (int operation : new int[] {Submission.READ, Submission.WRITE, Submission.ASYNC_CANCEL}) {
                if (!ring.isOffered(operation)) {
                    throw new ErrnoException(
                            Call.IO_URING_REGISTER, Errno.EOPNOTSUPP, "io_uring without operation " + operation);
                }
            }
            return new RingFileQueue(kernel, ring, pool, config, owner);
        } catch (ErrnoException | PinningException e) {
            ring.close();
            throw e;
        }
    }

    private RingFileQueue(Kernel kernel, Ring ring, @Nullable BufferPool pool, QueueConfig config, Account owner)
            throws PinningException {
        this.kernel = kernel;
        this.owner = owner;
        this.ring = ring;
        this.pool = pool;
        this.singleIssuer = config.singleIssuer();
        this.operations = new FileOperation[config.depth()];
        this.generations = new int[config.depth()];
        this.freeSlots = new int[config.depth()];
        for (int slot = config.depth() - 1; slot >= 0; slot--) {
            freeSlots[freeSlotCount++] = slot;
        }
        boolean hasTable = config.files() > 0 && ring.makeFileTable(config.files()) >= 0;
        this.freeFiles = new int[hasTable ? config.files() : 0];
        for (int slot = freeFiles.length - 1; slot >= 0; slot--) {
            freeFiles[freeFileCount++] = slot;
        }
        String memory = register(config.registration());
        this.description = "io_uring, depth " + config.depth()
                + (ring.isDeferred() ? ", completions on request" : "")
                + (ring.isPolled() ? ", polled" : "")
                + ", " + memory;
    }

    private String register(QueueConfig.Registration wanted) throws PinningException {
        if (pool == null || wanted == QueueConfig.Registration.NONE) {
            return "no registered memory";
        }
        long result = ring.registerBuffers(pool.regions());
        if (result >= 0) {
            pool.retainMemory();
            registered = true;
            return pool.lengthBytes() + " bytes of registered memory";
        }
        PinningException refused = new PinningException(
                (int) -result, pool.lengthBytes(), kernel.limits().current(Limits.RLIMIT_MEMLOCK));
        if (wanted == QueueConfig.Registration.REQUIRED) {
            throw refused;
        }
        return "no registered memory (" + refused.getMessage() + ")";
    }

    @Override
    public int depth() {
        return operations.length;
    }

    @Override
    public int pending() {
        return operations.length - freeSlotCount;
    }

    @Override
    public QueuedFile attach(Descriptor file, int granularity) {
        if (freeFileCount > 0 && ring.registerFile(freeFiles[freeFileCount - 1], file) >= 0) {
            return new QueuedFile(file, granularity, freeFiles[--freeFileCount]);
        }
        return new QueuedFile(file, granularity, QueuedFile.UNREGISTERED);
    }

    @Override
    public void detach(QueuedFile file) {
        if (file.pending() > 0) {
            throw new IllegalStateException(file.pending() + " operations are pending on " + file);
        }
        if (file.isRegistered() && !closed && ring.unregisterFile(file.slot()) >= 0) {
            freeFiles[freeFileCount++] = file.slot();
        }
    }

    @Override
    public boolean stage(FileOperation operation) throws ErrnoException {
        claim();
        if (freeSlotCount == 0 || ring.space() == 0) {
            if (chainOpen) {
                throw new IllegalStateException(
                        "linked operations need room for all of them before the first is staged");
            }
            return false;
        }
        operation.begin();
        int slot = freeSlots[--freeSlotCount];
        operations[slot] = operation;
        operation.slot = slot;
        long userData = userData(slot);
        long admitted = chainRefused ? -Errno.ECANCELED : admit(operation);
        if (admitted < 0) {
            operation.refusal = (int) admitted;
            ring.next().begin(Submission.NOP, userData);
            chainRefused = operation.linked;
        } else {
            // A count that the gate made short breaks the chain, as one that the kernel makes does.
            boolean willBeShort = admitted < operation.lengthBytes;
            fill(ring.next(), operation, userData, (int) admitted).linked(operation.linked && !willBeShort);
            chainRefused = operation.linked && willBeShort;
        }
        chainOpen = operation.linked;
        return true;
    }

    private long admit(FileOperation operation) {
        QueuedFile file = operation.requireFile();
        return ring.admit(
                callOf(operation), file.descriptor(), operation.position, operation.lengthBytes, file.granularity());
    }

    private Call callOf(FileOperation operation) {
        boolean fixed = isFixed(operation);
        return switch (operation.kind) {
            case READ -> fixed ? Call.RING_READ_FIXED : Call.RING_READ;
            case WRITE -> fixed ? Call.RING_WRITE_FIXED : Call.RING_WRITE;
            case SYNC -> Call.RING_FSYNC;
            case NOTHING -> throw new AssertionError("not filled");
        };
    }

    private boolean isFixed(FileOperation operation) {
        PoolBuffer buffer = operation.buffer;
        return registered && buffer != null && buffer.pool() == pool;
    }

    private Submission fill(Submission entry, FileOperation operation, long userData, int lengthBytes) {
        boolean fixed = isFixed(operation);
        int code = switch (operation.kind) {
            case READ -> fixed ? Submission.READ_FIXED : Submission.READ;
            case WRITE -> fixed ? Submission.WRITE_FIXED : Submission.WRITE;
            case SYNC -> Submission.FSYNC;
            case NOTHING -> throw new AssertionError("not filled");
        };
        entry.begin(code, userData);
        QueuedFile file = operation.requireFile();
        if (file.isRegistered()) {
            entry.registeredFile(file.slot());
        } else {
            entry.file(file.descriptor());
        }
        MemorySegment memory = operation.memory;
        if (memory == null) {
            return entry.syncFlags(operation.dataOnly ? Submission.FSYNC_DATASYNC : 0);
        }
        entry.transfer(memory, lengthBytes, operation.position, operation.durable ? VectoredFiles.RWF_DSYNC : 0);
        if (fixed && operation.buffer != null && pool != null) {
            entry.registeredBuffer(pool.regionOf(operation.buffer));
        }
        return entry;
    }

    @Override
    public void submit() throws ErrnoException {
        if (ring.stagedCount() > 0) {
            enter(0, 0);
        }
    }

    @Override
    public int await(int minimum, long timeoutNs) throws ErrnoException {
        if (completing) {
            throw new IllegalStateException("a completion must not wait on its queue");
        }
        int done = complete();
        int wanted = Math.min(Math.max(minimum - done, 0), pending());
        if (wanted > 0 || ring.stagedCount() > 0 || (pending() > 0 && ring.mustEnterToComplete())) {
            enter(wanted, timeoutNs);
            done += complete();
        }
        return eventfd == null ? done : done + drain(eventfd);
    }

    /// Takes the readiness away, and then looks once more: what came before is seen now, what comes after is told
    /// anew.
    private int drain(Descriptor readiness) throws ErrnoException {
        kernel.files().read(readiness, eventCount);
        if (ring.mustEnterToComplete()) {
            enter(0, 0);
        }
        return complete();
    }

    private void enter(int minComplete, long timeoutNs) throws ErrnoException {
        claim();
        if (chainOpen) {
            throw new IllegalStateException("the operation staged last is linked to one that is not staged");
        }
        int staged = ring.stagedCount();
        long submitted = ring.enter(minComplete, timeoutNs);
        // EINTR: a signal. EAGAIN: no memory for requests now. EBUSY: completions must be taken first. The entries stay
        // staged in all three cases, and the caller comes again.
        if (submitted == -Errno.EINTR || submitted == -Errno.EAGAIN || submitted == -Errno.EBUSY) {
            if (submitted == -Errno.EAGAIN && pending() == staged) {
                throw new ErrnoException(Call.IO_URING_ENTER, Errno.EAGAIN, "io_uring with nothing in flight");
            }
            return;
        }
        ErrnoException.check(submitted, Call.IO_URING_ENTER, "io_uring");
        if (submitted > 0 && submitted < staged) {
            cancelRestOfCutChain();
        }
    }

    /// The kernel took fewer entries than were staged, and linked ones end where a submission ends: what was to
    /// wait for its predecessor would start at once when it is submitted later, a sync before its write. So the
    /// rest of the chain is cancelled here, as the kernel does after a failure.
    private void cancelRestOfCutChain() {
        if (!ring.staged(-1).isLinked()) {
            return;
        }
        for (int i = 0; i < ring.stagedCount(); i++) {
            Submission entry = ring.staged(i);
            boolean last = !entry.isLinked();
            long userData = entry.userData();
            FileOperation operation = operations[(int) userData];
            if (operation != null) {
                operation.refusal = -Errno.ECANCELED;
            }
            entry.begin(Submission.NOP, userData);
            if (last) {
                return;
            }
        }
    }

    private int complete() {
        int done = 0;
        completing = true;
        try {
            while (ring.hasCompletion()) {
                long userData = ring.completionUserData();
                int result = ring.completionResult();
                ring.advance(); // before the completion runs, so that one that throws is not told twice
                if ((userData & CANCELLATION) == 0) {
                    done++;
                    finish((int) userData, userData, result);
                }
            }
        } finally {
            completing = false;
        }
        return done;
    }

    private void finish(int slot, long userData, int result) {
        FileOperation operation = operations[slot];
        assert operation != null && userData == userData(slot) : "a completion of an operation that is not pending";
        int answer = result >= 0 && operation.refusal != 0 ? operation.refusal : result;
        ring.record(callOf(operation), operation.requireFile().descriptor(), answer);
        operations[slot] = null;
        generations[slot] = generations[slot] + 1 & Integer.MAX_VALUE;
        freeSlots[freeSlotCount++] = slot;
        operation.finish(answer);
    }

    private long userData(int slot) {
        return (long) generations[slot] << 32 | slot;
    }

    @Override
    public boolean cancel(FileOperation operation) throws ErrnoException {
        claim();
        if (!operation.pending || operation.cancelled || ring.space() == 0) {
            return operation.pending && operation.cancelled;
        }
        if (chainOpen) {
            throw new IllegalStateException("the operation staged last is linked to one that is not staged");
        }
        Descriptor file = operation.requireFile().descriptor();
        if (ring.admit(Call.RING_CANCEL, file, operation.position, 0, 1) < 0) {
            return false;
        }
        operation.cancelled = true;
        ring.next()
                .begin(Submission.ASYNC_CANCEL, CANCELLATION | operation.slot)
                .target(userData(operation.slot));
        ring.record(Call.RING_CANCEL, file, 0);
        return true;
    }

    /// An eventfd, not the ring's own descriptor: poll on that is not woken by completions that the kernel keeps
    /// back until they are asked for.
    @Override
    public Descriptor readiness() throws ErrnoException {
        claim();
        if (eventfd == null) {
            Descriptor made = kernel.epolls().eventfd(owner).orThrow();
            long result = ring.registerEventfd(made);
            if (result < 0) {
                made.close();
                throw new ErrnoException(Call.IO_URING_REGISTER, (int) -result, "io_uring with an eventfd");
            }
            eventfd = made;
        }
        return eventfd;
    }

    @Override
    public boolean takesSyncs() {
        return !ring.isPolled();
    }

    @Override
    public boolean outlivesProcess() {
        return true;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public boolean hasRegisteredBuffers() {
        return registered;
    }

    /// The first to stage or wait is the ring's issuer.
    private void claim() throws ErrnoException {
        if (closed) {
            throw new IllegalStateException("the queue is closed");
        }
        if (!enabled) {
            if (Thread.currentThread().isVirtual() && singleIssuer) {
                throw new IllegalStateException("a virtual thread can't own a queue of a single issuer");
            }
            ring.enable();
            enabled = true;
            issuer = Thread.currentThread();
        }
        if (singleIssuer && issuer != Thread.currentThread()) {
            throw new IllegalStateException("the queue belongs to " + issuer + ", not to " + Thread.currentThread());
        }
    }

    @Override
    public void close() throws ErrnoException {
        if (closed) {
            return;
        }
        // A chain that was left open is submitted as it is; its last operation then stands alone.
        chainOpen = false;
        if (pending() > 0) {
            giveUpAll();
        }
        closed = true;
        if (registered) {
            ring.unregisterBuffers();
        }
        ring.close();
        if (eventfd != null) {
            eventfd.close();
        }
        if (registered && pool != null) {
            pool.releaseMemory();
        }
        Arrays.fill(operations, null);
    }

    /// Cancels everything and waits. If the ring itself fails, its memory stays with the kernel: the pool is never
    /// unmapped then, which leaks it, and is better than writing to whoever gets that memory next.
    private void giveUpAll() throws ErrnoException {
        submit();
        for (FileOperation operation : operations) {
            while (operation != null && operation.pending && !operation.cancelled) {
                if (!cancel(operation)) {
                    submit();
                }
            }
        }
        RuntimeException thrown = null;
        while (pending() > 0) {
            try {
                await(pending(), -1);
            } catch (RuntimeException e) { // of a completion; the others are to be told too
                thrown = e;
            }
        }
        if (thrown != null) {
            throw thrown;
        }
    }
}
