package dev.sluice.io.view;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Leases;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/// A lease on an open file: a delay before somebody else truncates it or opens it to write.
///
/// ```
///   HELD ──somebody opens or truncates──▶ BREAKING ──release──▶ RELEASED   the other goes on now
///     │                                       └──lease-break-time passes──▶ EXPIRED   it has gone on already
///     └──release──▶ RELEASED
/// ```
///
/// What it is not: protection. After /proc/sys/fs/lease-break-time (45 s unless changed) the kernel takes the lease
/// away and the other goes on, whatever we do. It can be had
///
/// - on regular files of local file systems (not on most network file systems, nor on /proc);
/// - on files of our own user, or with CAP_LEASE;
/// - as [Kind#READ] while nobody has the file open for writing, we ourselves included: open it O_RDONLY;
/// - as [Kind#WRITE] while nobody else has it open at all.
///
/// It doesn't notice what doesn't open the file: unlink and rename (which leave our bytes alone), a device that fails,
/// an unmount by force. Whoever asks with O_NONBLOCK isn't delayed but refused (EWOULDBLOCK); the lease is broken all
/// the same.
///
/// The kernel tells of a break by a signal. We ask for SIGURG, which does nothing where nobody handles it (SIGIO, the
/// kernel's default, ends a JVM), and handle it: a handler that was there before is called too. `onBreak` runs on the
/// thread that the JVM makes for the signal. Thread-safe. The descriptor is borrowed: keep it open until [#release].
public final class FileLease implements AutoCloseable {
    /// What the lease keeps others from.
    public enum Kind {
        /// Opening for writing, and truncating.
        READ(Leases.F_RDLCK),
        /// Opening at all.
        WRITE(Leases.F_WRLCK);

        private final int number;

        Kind(int number) {
            this.number = number;
        }
    }

    /// See the drawing above.
    public enum State {
        /// Others are kept from it.
        HELD,
        /// Somebody waits for it to be released.
        BREAKING,
        /// Given back, in time.
        RELEASED,
        /// The kernel has taken it away.
        EXPIRED
    }

    /// The leases of this process that are held. A signal is the process's and doesn't say which file it is for, so
    /// at each one all of them are asked: one call a lease.
    private static final Set<FileLease> HELD = ConcurrentHashMap.newKeySet();

    private static boolean handling;

    private final Kernel kernel;
    private final Descriptor file;
    private final Kind kind;
    private final Runnable onBreak;
    private final AtomicReference<State> state = new AtomicReference<>(State.HELD);

    private FileLease(Kernel kernel, Descriptor file, Kind kind, Runnable onBreak) {
        this.kernel = kernel;
        this.file = file;
        this.kind = kind;
        this.onBreak = onBreak;
    }

    /// Takes a lease.
    ///
    /// @param onBreak told once, when somebody waits for the lease to go; must soon lead to [#release]
    /// @throws ErrnoException EAGAIN when others have the file open against the lease, EACCES when it is another
    ///                        user's, EINVAL where the file system has no leases
    public static FileLease take(Kernel kernel, Descriptor file, Kind kind, Runnable onBreak) throws ErrnoException {
        handleSignal();
        FileLease lease = new FileLease(kernel, file, kind, onBreak);
        HELD.add(lease); // before the lease is there, or its first signal could find nobody
        long taken = kernel.leases().take(file, kind.number, Leases.SIGURG);
        if (taken < 0) {
            HELD.remove(lease);
            throw new ErrnoException(Call.FCNTL, (int) -taken, "lease on " + file.name());
        }
        return lease;
    }

    private static synchronized void handleSignal() {
        if (!handling) {
            SignalHandler[] before = new SignalHandler[1];
            before[0] = Signal.handle(new Signal("URG"), signal -> {
                HELD.forEach(FileLease::look);
                SignalHandler other = before[0];
                if (other != null && other != SignalHandler.SIG_DFL && other != SignalHandler.SIG_IGN) {
                    other.handle(signal);
                }
            });
            handling = true;
        }
    }

    /// Where the lease stands. Asks the kernel, so a break is seen even if its signal is still under way.
    public State state() {
        look();
        return state.get();
    }

    private void look() {
        if (state.get() == State.HELD
                && kernel.leases().current(file) != kind.number
                && state.compareAndSet(State.HELD, State.BREAKING)) {
            onBreak.run();
        }
    }

    /// Gives the lease up; whoever waits for it goes on at once.
    ///
    /// @return RELEASED when nobody could have changed the file until now; EXPIRED when the kernel had taken the
    ///         lease away before, so that what was read of the file lately may be of two versions
    public State release() {
        State before = state.get();
        if (before == State.RELEASED || before == State.EXPIRED) {
            return before;
        }
        state.set(State.RELEASED); // first, or a signal could take what we do now for a break
        HELD.remove(this);
        // F_UNLCK answers EAGAIN when there is no lease of ours (generic_delete_lease of fs/locks.c).
        if (kernel.leases().release(file) == -Errno.EAGAIN) {
            state.set(State.EXPIRED);
        }
        return state.get();
    }

    @Override
    public void close() {
        release();
    }
}
