package dev.sluice.io.loop;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// One thread that waits for many descriptors: epoll, timers, and a mailbox for everybody else.
///
/// ```
///            ┌──────────────────────── a turn ────────────────────────┐
///  epoll_wait → listeners of what is ready → due timers → mailbox → deferred work
/// ```
///
/// All methods belong to the loop's own thread (whoever calls [#run]), except [#execute] and [#stop], which any thread
/// may call. Nothing that runs on a loop may block; what could, a write to a disk that may stall, is done between
/// [#away] and [#back]: when it takes too long, a watcher has another thread go on with the loop ([#takeOver]), which
/// is the loop's own thread from then on. The one that was away comes back as a guest, while the other waits, to finish
/// what it was called for. So one thread at a time is the loop's, and nothing that belongs to a loop needs to know. The
/// mailbox is not bounded by itself: senders are (a connection has at most one message under way for each request it
/// has in flight).
public final class EventLoop implements Executor, AutoCloseable {
    private static final int EVENTS_A_TURN = 256;
    private static final long WAKE_UP = -1;

    /// A turn with so many ready descriptors is a busy one: the loop does not keep up, and seldom sleeps.
    private static final int BUSY_FROM = 4;

    /// Put at the mailbox's end to mark how far a turn takes from it.
    private static final Runnable END_OF_TURN = new Runnable() {
        @Override
        public void run() {}
    };

    private static final int AWAKE = 0;
    private static final int ASLEEP = 1;

    private final Kernel kernel;
    private final LongSupplier clockNs;
    private final Consumer<Throwable> stray;
    private final Epolls.Events events = new Epolls.Events(Arena.ofAuto(), EVENTS_A_TURN);
    private final MemorySegment one = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_LONG, 1);
    private final Descriptor epoll;
    private final Descriptor wakeUp;
    private final TimerHeap timers;
    private final Runnable runDue; // once, for a turn shall allocate nothing
    private final Queue<Runnable> mailbox = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<Runnable> deferred = new ArrayDeque<>();

    /// ASLEEP from just before an epoll_wait that may wait until its end; whoever sends meanwhile turns it to AWAKE
    /// and then pays for the wake-up, once.
    private final AtomicInteger sleep = new AtomicInteger(AWAKE);

    private @Nullable Registration[] registrations = new Registration[64];
    private int[] freeSlots = new int[64];
    private int freeSlotCount;
    private int slotCount;
    private int generation;

    private final Baton baton = new Baton();

    // The turn that is under way, in fields: another thread may have to finish it.
    private boolean turning;
    private long turns;
    private int readyCount;
    private int nextReady;
    private boolean endIsMarked;

    private long givesWayFromNs;

    private volatile boolean stopped;

    /// @param clockNs System::nanoTime, or a test's
    /// @param stray   told what a task of the mailbox, a timer or a listener's [ReadyListener#failed] threw
    public EventLoop(Kernel kernel, Account account, LongSupplier clockNs, Consumer<Throwable> stray)
            throws ErrnoException {
        this.kernel = kernel;
        this.clockNs = clockNs;
        this.givesWayFromNs = clockNs.getAsLong();
        this.stray = stray;
        this.timers = new TimerHeap(clockNs);
        this.runDue = timers::runDue;
        this.epoll = kernel.epolls().create(account).orThrow();
        this.wakeUp = wakeUpOn(kernel, epoll, account);
    }

    /// An eventfd that wakes `epoll` up; closes `epoll` when there can't be one.
    private static Descriptor wakeUpOn(Kernel kernel, Descriptor epoll, Account account) throws ErrnoException {
        Opened made = kernel.epolls().eventfd(account);
        try {
            Descriptor eventfd = made.orThrow();
            // Edge-triggered, so that the counter need never be read: each write is an edge.
            long added = kernel.epolls().add(epoll, eventfd, Epolls.EPOLLIN | Epolls.EPOLLET, WAKE_UP);
            ErrnoException.check(added, Call.EPOLL_CTL, eventfd.name());
            return eventfd;
        } catch (ErrnoException | RuntimeException | Error e) {
            if (made instanceof Opened.Ok ok) {
                ok.descriptor().close();
            }
            epoll.close();
            throw e;
        }
    }

    /// A descriptor's place on the loop.
    public final class Registration {
        private final Descriptor descriptor;
        private final ReadyListener listener;
        private final int slot;
        private final int ownGeneration;

        private Registration(Descriptor descriptor, ReadyListener listener, int slot, int ownGeneration) {
            this.descriptor = descriptor;
            this.listener = listener;
            this.slot = slot;
            this.ownGeneration = ownGeneration;
        }

        private long data() {
            return (long) ownGeneration << 32 | slot;
        }

        /// Changes the events that are listened for.
        public void listenFor(int newEvents) throws ErrnoException {
            long modified = kernel.epolls().modify(epoll, descriptor, newEvents, data());
            ErrnoException.check(modified, Call.EPOLL_CTL, descriptor.name());
        }

        /// Ends the registration; call it before the descriptor is closed. Events already fetched are dropped.
        public void cancel() {
            if (registrations[slot] == this) {
                free(slot);
                kernel.epolls().remove(epoll, descriptor);
            }
        }
    }

    /// Listens for events of a descriptor.
    ///
    /// @param wanted EPOLL… bits; EPOLLET for edges
    public Registration register(Descriptor descriptor, int wanted, ReadyListener listener) throws ErrnoException {
        int slot = freeSlotCount > 0 ? freeSlots[--freeSlotCount] : slotCount++;
        if (slot == registrations.length) {
            registrations = Arrays.copyOf(registrations, slot * 2);
        }
        Registration registration = new Registration(descriptor, listener, slot, generation++ & Integer.MAX_VALUE);
        registrations[slot] = registration;
        long added = kernel.epolls().add(epoll, descriptor, wanted, registration.data());
        if (added < 0) {
            free(slot);
        }
        ErrnoException.check(added, Call.EPOLL_CTL, descriptor.name());
        return registration;
    }

    private void free(int slot) {
        registrations[slot] = null;
        if (freeSlotCount == freeSlots.length) {
            freeSlots = Arrays.copyOf(freeSlots, freeSlotCount * 2);
        }
        freeSlots[freeSlotCount++] = slot;
    }

    /// Runs a task on the loop's thread. Any thread may call this; the order of one sender's tasks is kept.
    @Override
    public void execute(Runnable task) {
        mailbox.add(task);
        wakeUp();
    }

    private void wakeUp() {
        if (sleep.compareAndSet(ASLEEP, AWAKE)) {
            kernel.files().write(wakeUp, one);
        }
    }

    /// Runs a task at the end of this turn: how work that must give way to others goes on.
    public void defer(Runnable task) {
        deferred.addLast(task);
    }

    /// The number of the turn that is under way.
    public long turn() {
        return turns;
    }

    /// A timer of this loop, not set yet.
    public Timer timer(Runnable action) {
        return new Timer(timers, action);
    }

    /// Makes [#run] return after the turn that is under way. Any thread may call this.
    public void stop() {
        stopped = true;
        wakeUp();
    }

    /// Turns until [#stop].
    ///
    /// @throws ErrnoException when epoll itself fails, which only a mistake or a fault plan can cause
    public void run() throws ErrnoException {
        run(() -> {});
    }

    /// Turns until [#stop], or until another thread has taken over and this one has finished what it was called
    /// for.
    ///
    /// @param atEnd run at the end of the loop, with nobody else in it: by the thread that turned it, and by each
    ///     that comes back after that
    /// @return whether the calling thread turned the loop to its end
    /// @throws ErrnoException when epoll itself fails, which only a mistake or a fault plan can cause
    public boolean run(Runnable atEnd) throws ErrnoException {
        baton.drive();
        try {
            if (turning && !stopped) {
                finishTurn();
            }
            while (!stopped && baton.isDriver()) {
                turn(waitMs());
            }
        } finally {
            depart(atEnd);
        }
        return baton.isDriver();
    }

    private void depart(Runnable atEnd) {
        boolean drove = baton.isDriver();
        try {
            if (drove || baton.hasEnded()) {
                atEnd.run();
            }
        } finally {
            if (drove) {
                baton.end();
            } else {
                baton.leave();
            }
        }
    }

    // ---- When a call takes long

    /// Says that what the loop's thread does next may take long, though it should not: a write to a disk. Until
    /// [#back], nothing of the loop may be touched, but for what others can't reach.
    ///
    /// @return for [#back]
    public long away() {
        return baton.away();
    }

    /// Says that it is done; waits for its turn if another thread has taken over meanwhile.
    ///
    /// @param began what [#away] answered
    public void back(long began) {
        if (!baton.back(began)) {
            baton.comeBack(() -> execute(baton::letIn));
        }
    }

    /// A number that is odd while the loop's thread is away, and stays the same for as long as that lasts. Any
    /// thread may ask.
    public long stay() {
        return baton.stay();
    }

    /// Has another thread go on with the loop, if its own is still away on this stay. By one thread, the watcher.
    ///
    /// @param began   what [#stay] answered
    /// @param threads makes a thread, if one is needed
    /// @param drive   what that does: it calls [#run(Runnable)]
    /// @return whether the loop goes on; false when its thread is back, when too many are away already, or at the
    ///         end
    /// @throws OutOfMemoryError when there can be no more threads; nothing has changed then
    public boolean takeOver(long began, ThreadFactory threads, Runnable drive) {
        Baton.TakeOver outcome = baton.takeOver(began, null);
        if (outcome == Baton.TakeOver.NEEDS_SUCCESSOR) {
            Baton.Successor next = new Baton.Successor(drive);
            threads.newThread(next).start();
            outcome = baton.takeOver(began, next);
            if (outcome != Baton.TakeOver.SUCCEEDED) {
                next.choose(false);
            }
        }
        return outcome == Baton.TakeOver.SUCCEEDED || outcome == Baton.TakeOver.DRIVER_GOES_ON;
    }

    /// Threads that another has taken over from, and that are not done yet.
    public int lostThreads() {
        return baton.lost();
    }

    // ---- A turn

    private int waitMs() {
        long untilNextNs = timers.untilNextNs();
        if (!deferred.isEmpty() || untilNextNs == 0) {
            return 0; // and stay awake: senders then pay for no wake-up
        }
        sleep.set(ASLEEP);
        if (!mailbox.isEmpty() || stopped) { // looked at after the line above, or a sender in between is missed
            sleep.set(AWAKE);
            return 0;
        }
        // Rounded up: waking a part of a millisecond early would spin until the deadline.
        return untilNextNs == Long.MAX_VALUE ? -1 : (int) Math.min((untilNextNs + 999_999) / 1_000_000, 60_000);
    }

    private void turn(int waitMs) throws ErrnoException {
        if (readyCount >= BUSY_FROM) {
            giveWay();
        }
        long ready = kernel.epolls().await(epoll, events, waitMs);
        sleep.set(AWAKE);
        if (ready < 0 && ready != -Errno.EINTR) {
            throw new ErrnoException(Call.EPOLL_WAIT, (int) -ready, epoll.name());
        }
        turning = true;
        turns++;
        nextReady = 0;
        readyCount = Math.max(0, (int) ready);
        finishTurn();
    }

    /// Offers the processor to whoever waits for one, behind a busy turn. Mostly that is another loop or a client
    /// on the same machine, who needs it for some 100 µs; the scheduler would have it wait for its tick, 4 ms. Who
    /// keeps it longer is not offered it again before the loop has had it for as long
    /// (docs/decisions/2026-11-22-what-a-small-request-costs.md).
    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on what the scheduler makes of it
    private void giveWay() {
        long nowNs = clockNs.getAsLong();
        if (nowNs - givesWayFromNs >= 0) {
            Thread.yield();
            long backNs = clockNs.getAsLong();
            givesWayFromNs = backNs + (backNs - nowNs);
        }
    }

    /// Each step leaves the rest to another thread when it has taken over meanwhile.
    private void finishTurn() {
        while (nextReady < readyCount) {
            int next = nextReady++;
            dispatch(events.data(next), events.events(next));
            if (!baton.isDriver()) {
                return;
            }
        }
        guarded(runDue);
        if (baton.isDriver()) {
            runMailbox();
        }
        if (baton.isDriver()) {
            runDeferred();
        }
    }

    /// Runs what is in the mailbox now; what is sent meanwhile waits for the next turn, so that descriptors and
    /// timers get theirs.
    private void runMailbox() {
        if (!endIsMarked) {
            if (mailbox.isEmpty()) {
                return;
            }
            mailbox.add(END_OF_TURN);
            endIsMarked = true;
        }
        for (Runnable task = mailbox.poll(); task != null && task != END_OF_TURN; task = mailbox.poll()) {
            guarded(task);
            if (!baton.isDriver()) {
                return;
            }
        }
        endIsMarked = false;
    }

    private void runDeferred() {
        for (int left = deferred.size(); left > 0; left--) {
            guarded(deferred.removeFirst());
            if (!baton.isDriver()) {
                return;
            }
        }
        turning = false;
    }

    private void dispatch(long data, int readyEvents) {
        if (data == WAKE_UP) {
            return;
        }
        Registration registration = registrations[(int) data];
        if (registration == null || registration.data() != data) {
            return; // cancelled by a listener earlier in this turn
        }
        try {
            registration.listener.ready(readyEvents);
        } catch (Throwable t) { // whatever one connection throws must not end the others'
            guarded(() -> registration.listener.failed(t));
        }
    }

    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (Throwable t) {
            stray.accept(t);
        }
    }

    /// Frees what the loop holds, after [#run] has returned. Tasks left in the mailbox are not run.
    @Override
    public void close() {
        wakeUp.close();
        epoll.close();
    }
}
