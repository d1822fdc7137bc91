package dev.sluice.broker.partition;

import dev.sluice.broker.config.RecordRules;
import dev.sluice.broker.config.TopicSettings;
import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchGroup;
import dev.sluice.log.BatchView;
import dev.sluice.log.LogListener;
import dev.sluice.log.PartitionLog;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A partition of a topic: its log, the fetches that wait for it to grow, and the producers that wait for what they
/// sent to be acknowledged.
///
/// Thread-safe. Who waits costs nothing until something happens.
public final class Partition implements LogListener {
    /// A fetch that waits for more records.
    public interface Waiter {
        /// `lengthBytes` more can be read. Called on the appender's thread and under a lock: must be quick.
        ///
        /// @return whether that may be enough: then [#wake] is called
        boolean grown(long lengthBytes);

        /// It is time to look again: enough was appended, or the partition is being deleted. Called on another
        /// thread, under no lock, and perhaps when the waiter waits no more.
        void wake();
    }

    /// A producer whose batch ends at [#endOffset] and is not acknowledged yet.
    public interface Unacknowledged {
        long endOffset();

        /// The high watermark has reached the end offset, or never will: [PartitionLog#failure] says why, or
        /// the log is closed. Called once, on another thread, under no lock.
        void settled();
    }

    private static final Logger LOG = LoggerFactory.getLogger(Partition.class);

    private final int index;
    private final PartitionLog log;
    /// A set, so that one that awaits the partition twice, or leaves while thousands wait, costs no more than
    /// another.
    private final Set<Waiter> waiters = new LinkedHashSet<>(2);

    /// How many wait; written under the lock of `waiters`, read without it by appenders (see [#grown]).
    private volatile int waiting;

    /// Guarded by its lock.
    private final List<Unacknowledged> unacknowledged = new ArrayList<>(0);

    /// Written under that lock, read without it by appenders.
    private volatile boolean anyUnacknowledged;

    private final AtomicBoolean failureTold = new AtomicBoolean();

    /// What is asked of the records of clients; written when the topic is configured, read by whoever appends for
    /// a client.
    private volatile RecordRules rules;

    public Partition(int index, PartitionLog log, RecordRules rules) {
        this.index = index;
        this.log = log;
        this.rules = rules;
        log.addListener(this);
    }

    /// Takes effect with the next append.
    public void configure(TopicSettings settings) {
        log.configure(settings.log());
        rules = settings.records();
    }

    public RecordRules rules() {
        return rules;
    }

    public int index() {
        return index;
    }

    public PartitionLog log() {
        return log;
    }

    /// Appends one batch, which is checked already. Whoever it is from is told that it is stored when the high
    /// watermark has passed it, see [#await(Unacknowledged)].
    public AppendOutcome append(BatchView batch) {
        return log.append(batch);
    }

    /// Appends several batches, which are checked already, and tells in the group what became of each.
    public void append(BatchGroup group) {
        log.append(group);
    }

    @Override
    public void grown(PartitionLog grown, long lengthBytes) {
        // The log end must be visible before we look for waiters, as a waiter is added before it looks at the log
        // end: without this fence both could look too early, and the waiter would sleep on records it missed.
        VarHandle.fullFence();
        if (waiting > 0) {
            tell(lengthBytes);
        }
        settle();
    }

    @Override
    public void stopped(PartitionLog stopped) {
        VarHandle.fullFence();
        log.failure().ifPresent(failure -> {
            if (failureTold.compareAndSet(false, true)) {
                LOG.error("{}", failure.message());
            }
        });
        settle();
    }

    private void tell(long lengthBytes) {
        List<Waiter> satisfied = List.of();
        synchronized (waiters) {
            for (Waiter waiter : waiters) {
                if (waiter.grown(lengthBytes)) {
                    if (satisfied.isEmpty()) {
                        satisfied = new ArrayList<>(waiters.size());
                    }
                    satisfied.add(waiter);
                }
            }
        }
        // Waking costs a system call, which nobody who wants to wait or to stop waiting should have to wait for.
        satisfied.forEach(Waiter::wake);
    }

    // ---- Acknowledgements

    /// Whether a batch that ends at this offset is acknowledged, or never will be.
    private boolean isSettled(long endOffset) {
        return log.highWatermark() >= endOffset || log.hasStopped();
    }

    /// Tells `producer` when its batch is settled, which may be before this returns.
    public void await(Unacknowledged producer) {
        synchronized (unacknowledged) {
            unacknowledged.add(producer);
            anyUnacknowledged = true;
        }
        VarHandle.fullFence();
        if (isSettled(producer.endOffset())) {
            settle(); // it was settled before we were seen waiting
        }
    }

    /// The producer waits no more; a call of [Unacknowledged#settled] may still come.
    public void forget(Unacknowledged producer) {
        if (anyUnacknowledged) {
            synchronized (unacknowledged) {
                unacknowledged.remove(producer);
                anyUnacknowledged = !unacknowledged.isEmpty();
            }
        }
    }

    /// Producers come in no order when several append at a time, so all are looked at: there are as many as
    /// connections that wait.
    private void settle() {
        if (!anyUnacknowledged) {
            return;
        }
        List<Unacknowledged> settled = new ArrayList<>();
        synchronized (unacknowledged) {
            unacknowledged.removeIf(producer -> isSettled(producer.endOffset()) && settled.add(producer));
            anyUnacknowledged = !unacknowledged.isEmpty();
        }
        settled.forEach(Unacknowledged::settled);
    }

    /// Adds a waiter; whoever adds it looks at the log once more afterwards, for it may have grown just before.
    public void await(Waiter waiter) {
        synchronized (waiters) {
            waiters.add(waiter);
            waiting = waiters.size();
        }
        VarHandle.fullFence();
    }

    public void forget(Waiter waiter) {
        synchronized (waiters) {
            waiters.remove(waiter);
            waiting = waiters.size();
        }
    }

    /// Wakes everybody, for the partition is being deleted.
    public void wakeAll() {
        List<Waiter> all;
        synchronized (waiters) {
            all = List.copyOf(waiters);
        }
        all.forEach(Waiter::wake);
    }
}
