package dev.sluice.broker.partition;

import dev.sluice.broker.config.RecordRules;
import dev.sluice.broker.config.TopicSettings;
import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchView;
import dev.sluice.log.PartitionLog;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// A partition of a topic: its log, and the fetches that wait for it to grow.
///
/// Thread-safe. A waiting fetch costs nothing until something is appended.
public final class Partition {
    /// A fetch that waits for more records.
    public interface Waiter {
        /// `lengthBytes` more can be read. Called on the appender's thread and under a lock: must be quick.
        ///
        /// @return whether that may be enough: then [#wake] is called
        boolean grown(int lengthBytes);

        /// It is time to look again: enough was appended, or the partition is being deleted. Called on another
        /// thread, under no lock, and perhaps when the waiter waits no more.
        void wake();
    }

    private final int index;
    private final PartitionLog log;
    /// A set, so that one that awaits the partition twice, or leaves while thousands wait, costs no more than
    /// another.
    private final Set<Waiter> waiters = new LinkedHashSet<>(2);

    /// How many wait; written under the lock of `waiters`, read without it by appenders (see [#append]).
    private volatile int waiting;

    /// What is asked of the records of clients; written when the topic is configured, read by whoever appends for
    /// a client.
    private volatile RecordRules rules;

    public Partition(int index, PartitionLog log, RecordRules rules) {
        this.index = index;
        this.log = log;
        this.rules = rules;
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

    /// Appends one batch, which is checked already, and tells those who wait.
    public AppendOutcome append(BatchView batch) {
        int lengthBytes = batch.lengthBytes();
        AppendOutcome outcome = log.append(batch);
        if (outcome instanceof AppendOutcome.Appended) {
            // The log end must be visible before we look for waiters, as a waiter is added before it looks at the log
            // end: without this fence both could look too early, and the waiter would sleep on records it missed.
            VarHandle.fullFence();
            if (waiting > 0) {
                tell(lengthBytes);
            }
        }
        return outcome;
    }

    private void tell(int lengthBytes) {
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
