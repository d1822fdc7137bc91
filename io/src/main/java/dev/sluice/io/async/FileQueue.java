package dev.sluice.io.async;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;

/// Reads, writes and syncs of files that run while the caller does something else, many at a time.
///
/// Stage operations, submit them as one batch, await their completions:
///
/// ```
///  idle ── stage ──▶ staged ── submit or await ──▶ in flight ── await ──▶ Completion
///                    └───────────── pending ────────────────┘
/// ```
///
/// Operations in flight run in any order and at once. Order is made by awaiting, or by [FileOperation#linked]. A short
/// count is ordinary. Every staged operation completes exactly once.
///
/// Owned by one thread at a time. A queue opened for a single issuer belongs to the thread that stages first, for ever;
/// a virtual thread can't own one, for it wanders between the threads that the kernel knows.
///
/// Two implementations pass the same tests: [RingFileQueue] on io_uring, and [ThreadFileQueue] on a few threads where a
/// kernel or a sandbox refuses that. [FileQueues#open] chooses.
public interface FileQueue extends AutoCloseable {
    /// How many operations may be pending at once.
    int depth();

    /// How many operations are staged or in flight.
    int pending();

    /// Makes a file known to the queue, which keeps it registered with the kernel where it can. The descriptor
    /// stays the caller's, who closes it after [#detach].
    ///
    /// @param granularity what lengths and positions are multiples of: the alignment of an O_DIRECT descriptor, 1
    ///                    otherwise
    QueuedFile attach(Descriptor file, int granularity);

    /// Forgets a file. None of its operations may be pending.
    void detach(QueuedFile file);

    /// Stages an operation, which belongs to the queue until its completion.
    ///
    /// @return false when the queue is full; await completions and stage it then. Not in the middle of linked
    ///     operations: these need room for all of them
    boolean stage(FileOperation operation) throws ErrnoException;

    /// Hands what is staged to the kernel, without waiting.
    ///
    /// @throws ErrnoException when the kernel takes no more; what is in flight goes on
    void submit() throws ErrnoException;

    /// Submits what is staged and waits until `minimum` operations are over, the time has passed or a signal has
    /// come; calls the [Completion] of everything that is over by then.
    ///
    /// What a completion throws comes out of here; operations that were over at the same time are told by the next
    /// call.
    ///
    /// @param minimum   0 not to wait; more than are pending waits for these
    /// @param timeoutNs −1 to wait for ever
    /// @return how many completions were called, which may be fewer than `minimum`
    int await(int minimum, long timeoutNs) throws ErrnoException;

    /// Asks that a pending operation be given up. It completes anyway: with −ECANCELED when it had not begun or
    /// could be interrupted, and with its own result otherwise. Reads and writes of disks that have begun run to
    /// their end.
    ///
    /// @return false when it is not pending, or when the queue can't take the request now
    boolean cancel(FileOperation operation) throws ErrnoException;

    /// Readable, for poll and epoll, when completions wait: how a queue is driven from an event loop. When it is,
    /// call [#await] with a minimum of 0; now and then that finds nothing. Belongs to the queue.
    Descriptor readiness() throws ErrnoException;

    /// Whether it runs syncs: a polled one does not, since no interrupt ever tells of theirs.
    boolean takesSyncs();

    /// Whether what was submitted may go on after this process was killed, as io_uring's does: the files registered
    /// with it ([QueuedFile#isRegistered]) are kept open until all of it is over. Threads die after their last
    /// call, and the process after its threads.
    boolean outlivesProcess();

    /// How it works and why it does so, for a log line.
    String description();

    /// Whether reads and writes of its pool's buffers use registered memory.
    boolean hasRegisteredBuffers();

    /// Gives up what can be, waits for what can't, and frees everything. Completions are called.
    @Override
    void close() throws ErrnoException;
}
