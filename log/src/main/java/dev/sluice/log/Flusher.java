package dev.sluice.log;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// When one partition's log is flushed: what makes one flush cover the batches of many producers.
///
/// ```
///            a batch waits                     a thread has time                 done, nobody waits
///   IDLE ────────────────────▶ QUEUED ─────────────────────────▶ FLUSHING ──────────────────────────▶ IDLE
///     │                           ▲                                  │
///     │ others are expected       │ all of them are there,           │ done, and some wait
///     └─────────────▶ GATHERING ──┘ or it took too long              │
///                         ▲──────────────────────────────────────────┘
/// ```
///
/// While a flush is under way, batches gather for the next one. Producers that send a batch, wait for its answer and
/// send the next would split into two crowds that take turns, each waiting for the other's flush. So a flush waits for
/// as many batches as the two before it had together, and at most for half the time that one takes: whoever sends
/// alone never waits, and a crowd becomes one. (The journal of ext4 gathers its transactions likewise.)
///
/// Thread-safe; its lock is held for a few instructions. The flush itself runs on the threads of [Flushing].
final class Flusher {
    private static final long LONGEST_GATHERING_NS = TimeUnit.MILLISECONDS.toNanos(2);

    /// After a flush that could not be tried (out of descriptors, of memory), or threw, until it is tried again.
    private static final long RETRY_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private enum State {
        IDLE,
        GATHERING,
        QUEUED,
        FLUSHING
    }

    private final PartitionLog log;
    private final Flushing flushing;

    // Guarded by this.
    private State state = State.IDLE;
    private int waiting;
    private boolean wanted;
    private boolean timed;
    private int expected = 1;
    private long gathering;
    private long typicalNs;
    private long lastEndNs;
    private long flushes;
    private long batches;
    private long totalNs;
    private long longestNs;

    // Owned by the flush under way: there is one at a time.
    private volatile boolean toldOfBug;
    /// Why the last flush is to be tried again, or null. Read by any thread.
    private volatile @Nullable String problem;

    Flusher(PartitionLog log, Flushing flushing) {
        this.log = log;
        this.flushing = flushing;
    }

    /// A batch was appended whose acknowledgement waits for a flush.
    synchronized void await() {
        waiting++;
        if (state == State.IDLE) {
            gatherOrFlush();
        } else if (state == State.GATHERING && waiting >= expected) {
            queue();
        }
    }

    /// A flush is due, for which nobody waits.
    synchronized void flushNow() {
        wanted = true;
        if (state == State.IDLE || state == State.GATHERING) {
            queue();
        }
    }

    /// A flush is due within `delayMs`, unless one is already.
    synchronized void flushWithin(long delayMs) {
        if (!timed) {
            timed = true;
            later(this::timeIsOver, TimeUnit.MILLISECONDS.toNanos(delayMs));
        }
    }

    private synchronized void timeIsOver() {
        timed = false; // before the flush begins: what is appended from now on may miss it
        flushNow();
    }

    synchronized FlushCounts counts() {
        return new FlushCounts(flushes, batches, totalNs, longestNs);
    }

    /// Why the last flush could not be tried, or empty when it could.
    Optional<String> problem() {
        return Optional.ofNullable(problem);
    }

    // ---- Under the lock

    private void gatherOrFlush() {
        long patienceNs = Math.min(typicalNs / 2, LONGEST_GATHERING_NS);
        // Whoever was answered at the end of the last flush and sends again at once has done so after that long.
        boolean others = waiting < expected && flushing.nanoTime().getAsLong() - lastEndNs <= 2 * typicalNs;
        if (!others || patienceNs == 0) {
            queue();
            return;
        }
        state = State.GATHERING;
        long round = ++gathering;
        later(() -> gathered(round), patienceNs);
    }

    private synchronized void gathered(long round) {
        if (state == State.GATHERING && gathering == round) {
            queue();
        }
    }

    private void queue() {
        state = State.QUEUED;
        later(this::run, 0);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // it throws nothing
    private void later(Runnable task, long delayNs) {
        try {
            flushing.threads().schedule(task, delayNs, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            state = State.IDLE; // the folder was closed: nobody waits any more
        }
    }

    // ---- On a thread that may wait

    private void run() {
        int covered;
        long beganNs;
        synchronized (this) {
            state = State.FLUSHING;
            covered = waiting;
            waiting = 0;
            wanted = false;
            beganNs = flushing.nanoTime().getAsLong();
        }
        boolean done = flush();
        synchronized (this) {
            lastEndNs = flushing.nanoTime().getAsLong();
            if (done) {
                count(covered, lastEndNs - beganNs);
                next(covered);
            } else {
                waiting += covered;
                state = State.QUEUED;
                later(this::run, RETRY_NS);
            }
        }
    }

    /// @return false when it is to be tried again
    private boolean flush() {
        try {
            log.flush();
            toldOfBug = false;
            problem = null;
            return true;
        } catch (IOException e) {
            return isOver(e);
        } catch (RuntimeException | Error e) { // a bug, or no memory: those who wait must not wait for ever
            tell(e);
            return isOver(e);
        }
    }

    /// Whether a failed flush need not be tried again: who waited was told.
    private boolean isOver(Throwable why) {
        boolean over = log.failure().isPresent() || log.isClosed();
        problem = over ? null : String.valueOf(why.getMessage());
        return over;
    }

    /// Once until a flush succeeds.
    private void tell(Throwable bug) {
        if (!toldOfBug) {
            toldOfBug = true;
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, bug);
        }
    }

    private void count(int covered, long tookNs) {
        flushes++;
        batches += covered;
        totalNs += tookNs;
        longestNs = Math.max(longestNs, tookNs);
        typicalNs = typicalNs == 0 ? tookNs : (7 * typicalNs + tookNs) / 8;
    }

    private void next(int covered) {
        state = State.IDLE;
        expected = Math.max(1, covered + waiting);
        if (wanted) {
            queue();
        } else if (waiting > 0) {
            gatherOrFlush();
        }
    }
}
