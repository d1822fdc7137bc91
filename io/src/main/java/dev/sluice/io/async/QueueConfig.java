package dev.sluice.io.async;

/// What a [FileQueue] is wanted to be.
///
/// @param depth        how many operations may be pending at once, 1 to 16,384
/// @param files        how many attached files are kept registered with the kernel; more can be attached, and then cost
///     a look-up an operation
/// @param engine       io_uring or threads
/// @param registration whether the pool is pinned once, for io_uring
/// @param singleIssuer one thread alone will use the queue, for ever: saves interrupting it for completions
/// @param polled       poll the device for completions instead of taking interrupts, for io_uring. Takes reads and
///     writes of O_DIRECT descriptors alone (a sync answers −EOPNOTSUPP or −EINVAL), on devices with polled queues
///     (/sys/block/…/queue/io_poll is 1; others answer −EOPNOTSUPP), and waits by spinning
/// @param threads      how many threads run the operations where io_uring does not
public record QueueConfig(
        int depth,
        int files,
        Engine engine,
        Registration registration,
        boolean singleIssuer,
        boolean polled,
        int threads) {
    /// Who runs the operations.
    public enum Engine {
        /// io_uring where it is offered, threads elsewhere.
        BEST,
        /// io_uring, or an error.
        RING,
        /// Threads, each of which makes one call at a time.
        THREADS
    }

    /// Whether the pool's memory is pinned once.
    public enum Registration {
        /// Or an error that says what to set.
        REQUIRED,
        /// Where RLIMIT_MEMLOCK allows it; [FileQueue#description] says why not.
        IF_ALLOWED,
        /// Never: the kernel pins and releases the pages of each operation.
        NONE
    }

    /// @throws IllegalArgumentException naming the number that is out of its range
    public QueueConfig {
        if (depth < 1 || depth > 16_384) {
            throw new IllegalArgumentException("depth " + depth + " is not within 1 and 16384");
        }
        if (files < 0 || files > 32_768) {
            throw new IllegalArgumentException("files " + files + " is not within 0 and 32768");
        }
        if (threads < 1) {
            throw new IllegalArgumentException("threads " + threads + " is not at least 1");
        }
    }

    /// The best there is, for one thread. Four threads keep a disk busy without io_uring, and more of them than
    /// that cost more in switches than they gain on two processors.
    public static QueueConfig ofDepth(int depth) {
        return new QueueConfig(depth, 16, Engine.BEST, Registration.IF_ALLOWED, true, false, 4);
    }

    /// The same, run by this engine.
    public QueueConfig on(Engine newEngine) {
        return new QueueConfig(depth, files, newEngine, registration, singleIssuer, polled, threads);
    }

    /// The same, with the pool's memory pinned like this.
    public QueueConfig with(Registration newRegistration) {
        return new QueueConfig(depth, files, engine, newRegistration, singleIssuer, polled, threads);
    }

    /// The same, for a queue that threads use in turn, or that is made on another thread than its user's.
    public QueueConfig sharedByThreads() {
        return new QueueConfig(depth, files, engine, registration, false, polled, threads);
    }

    /// The same, with completions asked of the device by spinning: reads and writes of O_DIRECT descriptors alone,
    /// on devices with polled queues.
    public QueueConfig polling() {
        return new QueueConfig(depth, files, engine, registration, singleIssuer, true, threads);
    }

    /// The same, with so many threads where there is no io_uring.
    ///
    /// @throws IllegalArgumentException when that is less than one
    public QueueConfig withThreads(int newThreads) {
        return new QueueConfig(depth, files, engine, registration, singleIssuer, polled, newThreads);
    }
}
