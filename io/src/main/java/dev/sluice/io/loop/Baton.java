package dev.sluice.io.loop;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/// Which thread an event loop is driven by, when a call that was not to take long does: the baton that threads pass.
///
/// ```
///             away                     back
///   DRIVING ────────▶ AWAY ─────────────────────▶ DRIVING         as a rule: one store, one compare-and-set
///                      │ takeOver, by a watcher
///                      ▼                back                 the driver lets it in
///                     LOST, another thread drives ────▶ RETURNING ─────────────────▶ VISITING ──leave──▶ gone
///                                                           ▲                            │ away, takeOver
///                                                           └──────────back──────────────┘
/// ```
///
/// Whoever has the baton is the only one who touches what belongs to the loop. A thread that lost it while it was away
/// finishes what it was about as a visitor, while the driver waits, and is not needed any more then. A driver that
/// waits for a visitor who is away in turn goes on when the watcher has taken over from him.
///
/// Ordering: what was written before [#away] is seen by whoever [#takeOver] gave the baton to, and the monitor of this
/// object orders all else.
final class Baton {
    private static final VarHandle STAY;

    static {
        try {
            STAY = MethodHandles.lookup().findVarHandle(Baton.class, "stay", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /// How many threads of a loop may be away or on their way back at a time; one that is away beyond that is
    /// waited for.
    static final int MOST_LOST = 4;

    /// Odd while whoever has the baton is away, a number of its own for each time; even otherwise. Written by
    /// whoever has the baton, and by the watcher from odd to even.
    @SuppressWarnings({"FieldMayBeFinal", "UnusedVariable"}) // through STAY
    private long stay;

    // Guarded by this.
    private final Queue<Thread> returning = new ArrayDeque<>();
    private @Nullable Thread visitor;
    private int lost;
    private boolean ended;

    /// The thread that turns the loop. Read by it and by visitors, who have the baton.
    private @Nullable Thread driver;

    // ---- For whoever has the baton

    /// The calling thread turns the loop from now on.
    void drive() {
        driver = Thread.currentThread();
    }

    /// Whether the calling thread turns the loop, and did not lose that.
    boolean isDriver() {
        return driver == Thread.currentThread();
    }

    /// From here to [#back], the baton may be lost.
    ///
    /// @return for [#back]
    long away() {
        long began = (long) STAY.get(this) + 1;
        assert (began & 1) == 1 : "away twice";
        STAY.setRelease(this, began);
        return began;
    }

    /// The same thread is back from the stay that [#away] began.
    ///
    /// @return whether it still has the baton; else it has to [#comeBack]
    boolean back(long began) {
        return STAY.compareAndSet(this, began, began + 1);
    }

    /// Waits until the driver lets the calling thread in, or has ended: the baton is the caller's then, until it
    /// goes away or leaves.
    ///
    /// @param knock tells the driver to [#letIn]
    void comeBack(Runnable knock) {
        synchronized (this) {
            returning.add(Thread.currentThread());
            if (ended && visitor == null) {
                visitor = returning.poll();
            }
        }
        knock.run(); // in vain if it has ended
        synchronized (this) {
            waitUntilVisitorIs(Thread.currentThread());
        }
    }

    /// Under the lock; an interrupt does not cut it short.
    private void waitUntilVisitorIs(@Nullable Thread wanted) {
        boolean interrupted = false;
        while (visitor != wanted) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Gives the baton to one that has come back, and waits until it leaves or is away for too long. By the driver.
    synchronized void letIn() {
        visitor = returning.poll();
        notifyAll();
        waitUntilVisitorIs(null);
    }

    /// The calling thread, a visitor, needs the baton no more.
    synchronized void leave() {
        assert visitor == Thread.currentThread();
        lost--;
        visitor = ended ? returning.poll() : null;
        notifyAll();
    }

    /// The loop ends, says its driver; those who come back from now on take turns.
    synchronized void end() {
        ended = true;
        visitor = returning.poll();
        notifyAll();
    }

    // ---- For the watcher

    /// A number that stays the same, and odd, for as long as one stay away lasts. Any thread may ask.
    long stay() {
        return (long) STAY.getAcquire(this);
    }

    /// Takes the baton from whoever is still away on this stay, and gives it to the driver, if that is another
    /// thread that waits, or to a new one. By one thread, the watcher.
    ///
    /// @param next waits to be told whether to drive the loop; null as long as it is not known whether it is needed
    /// @return what came of it
    synchronized TakeOver takeOver(long began, @Nullable Successor next) {
        if ((began & 1) == 0 || stay() != began) {
            return TakeOver.NOT_AWAY;
        }
        if (ended) {
            return TakeOver.NOT_POSSIBLE; // nobody waits for the baton
        }
        if (visitor != null) {
            if (!STAY.compareAndSet(this, began, began + 1)) {
                return TakeOver.NOT_AWAY;
            }
            visitor = null; // it lost the baton before, and is counted
            notifyAll();
            return TakeOver.DRIVER_GOES_ON;
        }
        if (lost >= MOST_LOST) {
            return TakeOver.NOT_POSSIBLE;
        }
        if (next == null) {
            return TakeOver.NEEDS_SUCCESSOR;
        }
        if (!STAY.compareAndSet(this, began, began + 1)) {
            return TakeOver.NOT_AWAY;
        }
        lost++;
        next.choose(true);
        return TakeOver.SUCCEEDED;
    }

    /// Threads that lost the baton and have not left.
    synchronized int lost() {
        return lost;
    }

    synchronized boolean hasEnded() {
        return ended;
    }

    enum TakeOver {
        /// Who was away is back, or another stay has begun.
        NOT_AWAY,
        /// Too many are away already, or the loop has ended.
        NOT_POSSIBLE,
        /// There is no thread that could go on with the loop.
        NEEDS_SUCCESSOR,
        /// The driver goes on, which waited for a visitor.
        DRIVER_GOES_ON,
        /// The successor drives.
        SUCCEEDED
    }

    /// A thread that may be going to drive the loop; it begins before that is known, for there may be no thread
    /// left.
    static final class Successor implements Runnable {
        private final Runnable drive;

        // Guarded by this.
        private @Nullable Boolean chosen;

        /// @param drive what it does when it was chosen
        Successor(Runnable drive) {
            this.drive = drive;
        }

        @Override
        public void run() {
            if (awaitChoice()) {
                drive.run();
            }
        }

        private synchronized boolean awaitChoice() {
            boolean interrupted = false;
            while (chosen == null) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            return chosen;
        }

        synchronized void choose(boolean drives) {
            chosen = drives;
            notifyAll();
        }
    }
}
