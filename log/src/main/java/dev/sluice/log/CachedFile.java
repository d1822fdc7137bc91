package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Hold;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One file of a segment, opened when it is first needed and kept open while anybody uses it.
///
/// ```
///             acquire: open             release of the last reference
///  closed ─────────────────► in use ──────────────────────────────────► idle (open, in OpenFiles)
///    ▲                         ▲  │                                       │  │
///    │                         └──┼────────────── acquire ────────────────┘  │
///    │                            └─ last release once retired ──┐           │ too many idle, or retired
///    └───────────────────────────────────────────────────────────┴───────────┘
/// ```
///
/// Thread-safe. A reference is the file's own [Hold], so that handing one out with a span allocates nothing. Whoever
/// acquires releases exactly once. A retired file (its segment was deleted, or the folder closed) stays readable for
/// those who hold it.
final class CachedFile implements Hold {
    private static final VarHandle REFERENCES;

    static {
        try {
            REFERENCES = MethodHandles.lookup().findVarHandle(CachedFile.class, "references", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Kernel kernel;
    private final OpenFiles openFiles;
    private final Supplier<Account> account;
    private final Path path;

    // Raised from 0 only under the lock; otherwise by compare and set.
    @SuppressWarnings({"FieldMayBeFinal", "UnusedVariable"})
    private int references;

    // Written under the lock; read without it by whoever has a reference: taking one is the ordering.
    private @Nullable Descriptor descriptor;
    private boolean retired;

    /// Set by those who sent from it, read by those who look up what to send.
    private volatile boolean suspect;

    /// @param account counts the calls on the file; asked at each opening
    CachedFile(Kernel kernel, OpenFiles openFiles, Path path, Supplier<Account> account) {
        this.kernel = kernel;
        this.openFiles = openFiles;
        this.path = path;
        this.account = account;
    }

    Path path() {
        return path;
    }

    /// The open file, for reading and writing, and a reference to it.
    ///
    /// @throws ErrnoException when it can't be opened: missing, retired and closed (ENOENT too), or out of
    ///                        descriptors
    Descriptor acquire() throws ErrnoException {
        int count = (int) REFERENCES.getVolatile(this);
        while (count > 0) {
            int witness = (int) REFERENCES.compareAndExchange(this, count, count + 1);
            if (witness == count) {
                return held();
            }
            count = witness;
        }
        return acquireFirst();
    }

    private synchronized Descriptor acquireFirst() throws ErrnoException {
        Descriptor open = descriptor;
        if (open == null) {
            if (retired) { // by now its path may be that of another log's file
                throw new ErrnoException(Call.OPENAT, Errno.ENOENT, path.toString());
            }
            open = kernel.files().open(path, Files.O_RDWR, 0, account.get()).orThrow();
            // A header of 61 bytes must not bring megabytes of read-ahead with it; whoever wants many bytes says so.
            // A hint: without it reading is only slower.
            kernel.files().advise(open, 0, 0, Files.FADV_RANDOM);
            descriptor = open;
        } else {
            openFiles.used(this);
        }
        REFERENCES.getAndAdd(this, 1);
        return open;
    }

    /// The open file, for whoever has a reference already.
    Descriptor held() {
        Descriptor open = descriptor;
        if (open == null) {
            throw new IllegalStateException(path + " is used without a reference");
        }
        return open;
    }

    @Override
    public void release() {
        int before = (int) REFERENCES.getAndAdd(this, -1);
        if (before <= 0) {
            throw new IllegalStateException(path + " was released more often than acquired");
        }
        if (before == 1) {
            idle();
        }
    }

    /// A part of it could not be sent: from now on it is read before it is handed out.
    @Override
    public void unreadable() {
        suspect = true;
    }

    /// Whether a part of it could not be read when it was sent.
    boolean isSuspect() {
        return suspect;
    }

    private void idle() {
        boolean keep;
        synchronized (this) {
            keep = !retired;
        }
        if (keep) {
            openFiles.idle(this);
        } else {
            closeIfIdle();
        }
    }

    /// Closes the descriptor when nobody has a reference.
    synchronized void closeIfIdle() {
        Descriptor open = descriptor;
        if (open != null && (int) REFERENCES.getVolatile(this) == 0) {
            descriptor = null;
            open.close();
        }
    }

    /// Closes the descriptor as soon as nobody has a reference.
    void retire() {
        synchronized (this) {
            retired = true;
        }
        openFiles.used(this);
        closeIfIdle();
    }
}
