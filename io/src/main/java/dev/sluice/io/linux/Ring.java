package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.List;

/// One io_uring: its descriptor, and the two rings that this process and the kernel share.
///
/// ```
///  submissions   ── we write entry and tail (release) ──▶ io_uring_enter reads tail and entries, moves head
///                head ............ published ............ tail ... staged ... localTail
///  completions   ◀── we read head..tail (tail: acquire), then move head (release) ── the kernel writes entry and tail
/// ```
///
/// Ordering. Each index has one writer. A plain write of an entry may not become visible after the index that publishes
/// it, so we store the submission tail with release; the kernel loads it with acquire, and inside io_uring_enter it
/// reads on our own thread anyway. The other way round, the kernel stores the completion tail with release after it has
/// written the entry; our acquire load of the tail makes the entry readable. We store the completion head with release
/// *after* we have read the entry, because from then on the kernel may write over it. The submission head is loaded
/// with acquire, so that an entry is not rewritten before the kernel has read it.
///
/// Owned by one thread at a time; with [Traits#singleIssuer] by the one that calls [#enable], for ever: the kernel
/// answers others −EEXIST. Whoever opens it closes it, when nothing is in flight any more: the kernel goes on
/// writing to the memory of what is.
public final class Ring implements AutoCloseable {
    /// What a ring is wanted to be; what the kernel does not offer is left out, except polling.
    ///
    /// @param singleIssuer one thread alone will use it: the kernel then keeps completions back until that thread
    ///     asks, which saves interrupting it (SINGLE_ISSUER and DEFER_TASKRUN, Linux 6.1)
    /// @param polled       the completions of devices are polled for, without interrupts (IOPOLL); it then takes
    ///     O_DIRECT reads and writes only, on devices with polled queues
    public record Traits(boolean singleIssuer, boolean polled) {}

    private static final long SQ_RING_AT = 0;
    private static final long SQES_AT = 0x1000_0000L;

    private static final int ENTER_GETEVENTS = 1;
    private static final int ENTER_EXT_ARG = 1 << 3;
    /// Completions wait in the kernel until the ring's owner enters it.
    private static final int SQ_CQ_OVERFLOW = 1 << 1;
    private static final int SQ_TASKRUN = 1 << 2;

    private static final int REGISTER_BUFFERS = 0;
    private static final int UNREGISTER_BUFFERS = 1;
    private static final int REGISTER_FILES = 2;
    private static final int REGISTER_EVENTFD = 4;
    private static final int REGISTER_FILES_UPDATE = 6;
    private static final int REGISTER_PROBE = 8;
    private static final int REGISTER_ENABLE_RINGS = 12;

    /// asm-generic/errno.h: the time to wait has passed. Ordinary, and answered as "nothing was submitted".
    private static final int ETIME = 62;

    /// struct io_uring_cqe { u64 user_data; i32 res; u32 flags; }
    private static final long CQE_BYTES = 16;

    /// struct io_uring_probe: u8 last_op, u8 ops_len, … 16 bytes, then { u8 op, u8 resv, u16 flags, u32 resv }
    /// each.
    private static final int PROBE_OPERATIONS = 64;

    private static final long PROBE_HEAD_BYTES = 16;
    private static final long PROBE_ENTRY_BYTES = 8;
    private static final short PROBE_SUPPORTED = 1;

    private static final VarHandle INDEX = ValueLayout.JAVA_INT.varHandle();

    private final Kernel kernel;
    private final IoUrings calls;
    private final Descriptor descriptor;
    private final boolean deferred;
    private final boolean polled;
    private final MemorySegment rings;
    private final MemorySegment entries;
    private final MemorySegment waitArgument = Arena.ofAuto().allocate(24, 8);
    private final MemorySegment waitTime = Arena.ofAuto().allocate(16, 8);
    private final Submission submission;

    private final long sqHeadAt;
    private final long sqTailAt;
    private final long sqFlagsAt;
    private final long cqHeadAt;
    private final long cqTailAt;
    private final long cqesAt;
    private final int sqEntries;
    private final int sqMask;
    private final int cqMask;

    /// Entries up to here are written; the kernel sees them when [#enter] stores it in the ring.
    private int localTail;

    private int cqHead;

    private Ring(
            Kernel kernel,
            IoUrings calls,
            Descriptor descriptor,
            RingParameters made,
            int flags,
            MemorySegment rings,
            MemorySegment entries) {
        this.kernel = kernel;
        this.calls = calls;
        this.descriptor = descriptor;
        this.deferred = (flags & RingParameters.SETUP_DEFER_TASKRUN) != 0;
        this.polled = (flags & RingParameters.SETUP_IOPOLL) != 0;
        this.rings = rings;
        this.entries = entries;
        this.submission = new Submission(entries);
        this.sqHeadAt = made.sqHeadAt();
        this.sqTailAt = made.sqTailAt();
        this.sqFlagsAt = made.sqFlagsAt();
        this.cqHeadAt = made.cqHeadAt();
        this.cqTailAt = made.cqTailAt();
        this.cqesAt = made.cqesAt();
        this.sqEntries = made.sqEntries();
        this.sqMask = made.sqEntries() - 1;
        this.cqMask = made.cqEntries() - 1;
        // The kernel reads entry numbers through an array; ours is the identity, written once.
        for (int i = 0; i < sqEntries; i++) {
            rings.set(ValueLayout.JAVA_INT, made.sqArrayAt() + 4L * i, i);
        }
        // struct io_uring_getevents_arg { u64 sigmask; u32 sigmask_sz; u32 pad; u64 ts; }, its time a timespec.
        waitArgument.set(ValueLayout.ADDRESS, 16, waitTime);
    }

    static Ring open(Kernel kernel, IoUrings calls, int entries, Traits traits, Account owner) throws ErrnoException {
        int base = RingParameters.SETUP_CLAMP
                | RingParameters.SETUP_R_DISABLED
                | (traits.polled() ? RingParameters.SETUP_IOPOLL : 0);
        int[] ladder = traits.singleIssuer()
                ? new int[] {
                    RingParameters.SETUP_SUBMIT_ALL
                            | RingParameters.SETUP_SINGLE_ISSUER
                            | RingParameters.SETUP_DEFER_TASKRUN
                            | RingParameters.SETUP_TASKRUN_FLAG,
                    RingParameters.SETUP_SUBMIT_ALL
                            | RingParameters.SETUP_COOP_TASKRUN
                            | RingParameters.SETUP_TASKRUN_FLAG,
                    0
                }
                : new int[] {
                    RingParameters.SETUP_SUBMIT_ALL
                            | RingParameters.SETUP_COOP_TASKRUN
                            | RingParameters.SETUP_TASKRUN_FLAG,
                    0
                };
        Opened opened = new Opened.Failed(Call.IO_URING_SETUP, Errno.EINVAL, "io_uring");
        for (int extra : ladder) {
            try (Arena scratch = Arena.ofConfined()) {
                RingParameters parameters = new RingParameters(scratch, base | extra);
                opened = calls.setup(entries, parameters.struct(), owner);
                if (opened instanceof Opened.Ok ok) {
                    return map(kernel, calls, ok.descriptor(), parameters, base | extra);
                }
            }
            // EINVAL: a flag that this kernel does not know; ask for less. Anything else is its last word.
            if (opened.errno() != Errno.EINVAL) {
                break;
            }
        }
        throw new ErrnoException(Call.IO_URING_SETUP, opened.errno(), "io_uring");
    }

    private static Ring map(Kernel kernel, IoUrings calls, Descriptor descriptor, RingParameters made, int flags)
            throws ErrnoException {
        try {
            int needed = RingParameters.FEAT_SINGLE_MMAP | RingParameters.FEAT_NODROP | RingParameters.FEAT_EXT_ARG;
            if (!made.has(needed)) {
                throw new ErrnoException(
                        Call.IO_URING_SETUP, Errno.EOPNOTSUPP, "io_uring of a kernel before Linux 5.11");
            }
            long ringBytes =
                    Math.max(made.sqArrayAt() + 4L * made.sqEntries(), made.cqesAt() + CQE_BYTES * made.cqEntries());
            int protection = Mappings.PROT_READ | Mappings.PROT_WRITE;
            int mapFlags = Mappings.MAP_SHARED | Mappings.MAP_POPULATE;
            MemorySegment rings = kernel.mappings().map(descriptor, SQ_RING_AT, ringBytes, protection, mapFlags);
            MemorySegment entries;
            try {
                entries = kernel.mappings()
                        .map(descriptor, SQES_AT, Submission.BYTES * made.sqEntries(), protection, mapFlags);
            } catch (ErrnoException e) {
                kernel.mappings().unmap(rings);
                throw e;
            }
            return new Ring(kernel, calls, descriptor, made, flags, rings, entries);
        } catch (ErrnoException e) {
            descriptor.close();
            throw e;
        }
    }

    /// Lets the ring take submissions. Its thread, where it has a single issuer, is the one that calls this.
    public void enable() throws ErrnoException {
        ErrnoException.check(
                calls.register(descriptor, REGISTER_ENABLE_RINGS, MemorySegment.NULL, 0),
                Call.IO_URING_REGISTER,
                "io_uring, enabling it");
    }

    /// Whether the kernel keeps completions back until the ring's thread asks for them.
    public boolean isDeferred() {
        return deferred;
    }

    /// Whether completions are asked of the device (IORING_SETUP_IOPOLL).
    public boolean isPolled() {
        return polled;
    }

    /// Whether the kernel has an operation of [Submission].
    public boolean isOffered(int operation) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment probe = scratch.allocate(PROBE_HEAD_BYTES + PROBE_OPERATIONS * PROBE_ENTRY_BYTES, 8);
            long result = calls.register(descriptor, REGISTER_PROBE, probe, PROBE_OPERATIONS);
            short flags = probe.get(ValueLayout.JAVA_SHORT, PROBE_HEAD_BYTES + operation * PROBE_ENTRY_BYTES + 2);
            return result >= 0 && (flags & PROBE_SUPPORTED) != 0;
        }
    }

    /// Pins memory for READ_FIXED and WRITE_FIXED: its pages are looked up and held once, not with each operation.
    ///
    /// @param regions at most 16,384 of at most 1 GiB each; a buffer's index is its place here
    /// @return 0 or −errno: −ENOMEM also when RLIMIT_MEMLOCK is too small
    public long registerBuffers(List<MemorySegment> regions) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment vectors = scratch.allocate(16L * regions.size(), 8);
            for (int i = 0; i < regions.size(); i++) {
                vectors.set(ValueLayout.ADDRESS, 16L * i, regions.get(i));
                vectors.set(ValueLayout.JAVA_LONG, 16L * i + 8, regions.get(i).byteSize());
            }
            return calls.register(descriptor, REGISTER_BUFFERS, vectors, regions.size());
        }
    }

    /// Unpins them; nothing that uses them may be in flight.
    public long unregisterBuffers() {
        return calls.register(descriptor, UNREGISTER_BUFFERS, MemorySegment.NULL, 0);
    }

    /// Makes a table of `slots` registered files, all empty: an operation on a registered file does not look its
    /// descriptor up, and the ring keeps the file open until its last operation is done, even when the process
    /// dies.
    ///
    /// @return 0 or −errno
    public long makeFileTable(int slots) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment numbers = scratch.allocate(4L * slots, 4);
            numbers.fill((byte) -1);
            return calls.register(descriptor, REGISTER_FILES, numbers, slots);
        }
    }

    /// Puts a file into a slot of the table.
    ///
    /// @return 0 or −errno
    public long registerFile(int slot, Descriptor file) {
        return updateFile(slot, file.number());
    }

    /// Empties a slot; operations in flight keep their file.
    public long unregisterFile(int slot) {
        return updateFile(slot, -1);
    }

    private long updateFile(int slot, int number) {
        try (Arena scratch = Arena.ofConfined()) {
            // struct io_uring_files_update { u32 offset; u32 resv; u64 fds; }
            MemorySegment update = scratch.allocate(16, 8);
            update.set(ValueLayout.JAVA_INT, 0, slot);
            update.set(ValueLayout.ADDRESS, 8, scratch.allocateFrom(ValueLayout.JAVA_INT, number));
            long result = calls.register(descriptor, REGISTER_FILES_UPDATE, update, 1);
            return Math.min(result, 0);
        }
    }

    /// Asks the gate about an operation before it is staged: a ring's operations are no calls, so the door is here.
    ///
    /// @param granularity what a shortened length must be a multiple of
    /// @return the length to stage it with, or a negative error number: stage a NOP in its place, and let that be
    ///         its answer
    public long admit(Call operation, Descriptor file, long position, long lengthBytes, int granularity) {
        return kernel.admit(operation, file, position, lengthBytes, granularity);
    }

    /// Counts a completed operation where its file is counted.
    public void record(Call operation, Descriptor file, long result) {
        boolean carriesBytes = operation != Call.RING_FSYNC && operation != Call.RING_CANCEL;
        file.account().record(operation, result, carriesBytes);
    }

    /// Has an eventfd written to when completions come, also those that the kernel keeps back until they are asked
    /// for.
    ///
    /// @return 0 or −errno
    public long registerEventfd(Descriptor eventfd) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment number = scratch.allocateFrom(ValueLayout.JAVA_INT, eventfd.number());
            return calls.register(descriptor, REGISTER_EVENTFD, number, 1);
        }
    }

    /// How many more entries may be staged.
    public int space() {
        return sqEntries - (localTail - submittedHead());
    }

    /// Entries staged and not yet consumed by the kernel.
    public int stagedCount() {
        return localTail - submittedHead();
    }

    private int submittedHead() {
        return (int) INDEX.getAcquire(rings, sqHeadAt);
    }

    /// The next free entry, staged by this call. There must be [#space].
    public Submission next() {
        assert space() > 0 : "the submission ring is full";
        return submission.moveTo(localTail++ & sqMask);
    }

    /// The entry `index` places behind the oldest one that the kernel has not consumed; −1 is the last one that it
    /// did, which is readable until the next is staged.
    public Submission staged(int index) {
        return submission.moveTo(submittedHead() + index & sqMask);
    }

    /// Publishes what is staged, submits it, and waits until `minComplete` completions are there to be read or the
    /// time has passed.
    ///
    /// @param timeoutNs −1 to wait for ever
    /// @return entries consumed, possibly fewer than staged; 0 also when the time has passed; −errno otherwise, and
    ///     −EINTR is ordinary
    public long enter(int minComplete, long timeoutNs) {
        // Release: the entries above are written before the kernel sees the tail.
        INDEX.setRelease(rings, sqTailAt, localTail);
        int toSubmit = stagedCount();
        boolean getEvents = minComplete > 0 || deferred || polled || (sqFlags() & (SQ_CQ_OVERFLOW | SQ_TASKRUN)) != 0;
        int flags = getEvents ? ENTER_GETEVENTS : 0;
        long result;
        if (minComplete > 0 && timeoutNs >= 0) {
            waitTime.set(ValueLayout.JAVA_LONG, 0, timeoutNs / 1_000_000_000L);
            waitTime.set(ValueLayout.JAVA_LONG, 8, timeoutNs % 1_000_000_000L);
            result = calls.enter(
                    descriptor, toSubmit, minComplete, flags | ENTER_EXT_ARG, waitArgument, waitArgument.byteSize());
        } else {
            result = calls.enter(descriptor, toSubmit, minComplete, flags, MemorySegment.NULL, 0);
        }
        return result == -ETIME ? 0 : result;
    }

    /// Whether completions wait in the kernel for an [#enter], where [#hasCompletion] does not see them.
    public boolean mustEnterToComplete() {
        return polled || (sqFlags() & (SQ_CQ_OVERFLOW | SQ_TASKRUN)) != 0;
    }

    private int sqFlags() {
        return (int) INDEX.getOpaque(rings, sqFlagsAt);
    }

    /// Whether a completion can be read.
    public boolean hasCompletion() {
        // Acquire: the entry is read after the tail that published it.
        return cqHead != (int) INDEX.getAcquire(rings, cqTailAt);
    }

    /// User data of the oldest completion that was not [#advance]d over.
    public long completionUserData() {
        return rings.get(ValueLayout.JAVA_LONG, completionAt());
    }

    /// Its result: a value ≥ 0 or −errno.
    public int completionResult() {
        return rings.get(ValueLayout.JAVA_INT, completionAt() + 8);
    }

    private long completionAt() {
        return cqesAt + (cqHead & cqMask) * CQE_BYTES;
    }

    /// Gives the oldest completion's entry back to the kernel.
    public void advance() {
        // Release: our reads of the entry come before the kernel may write over it.
        INDEX.setRelease(rings, cqHeadAt, ++cqHead);
    }

    @Override
    public void close() {
        if (descriptor.isOpen()) {
            kernel.mappings().unmap(entries);
            kernel.mappings().unmap(rings);
            descriptor.close();
        }
    }
}
