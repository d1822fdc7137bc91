package dev.sluice.io.linux;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// An open file descriptor that we own: its number, what it is open on, and the account of the calls made on it.
///
/// Whoever opened it closes it. After [#close] every call on it answers −EBADF; closing twice does nothing. The number
/// is never handed to a call after it was closed *by the same thread*; threads that share a descriptor must keep it
/// open by a reference count of their own until the last call has returned, for the kernel gives the number out again.
public final class Descriptor implements AutoCloseable {
    private static final int CLOSED = -1;
    private static final VarHandle NUMBER;

    static {
        try {
            NUMBER = MethodHandles.lookup().findVarHandle(Descriptor.class, "number", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Kernel kernel;
    private final String name;
    private final Account account;

    // Read by any thread that makes a call, written once by the closing one; opaque order is enough, see above.
    @SuppressWarnings({"FieldMayBeFinal", "UnusedVariable"})
    private int number;

    Descriptor(Kernel kernel, int number, String name, Account account) {
        this.kernel = kernel;
        this.number = number;
        this.name = name;
        this.account = account;
    }

    /// The descriptor's number, or -1 after it was closed.
    public int number() {
        return (int) NUMBER.getOpaque(this);
    }

    /// The path, or the peer's address: what error messages name.
    public String name() {
        return name;
    }

    /// Counts the calls made on this descriptor. Not closed with it: it belongs to whoever opened the descriptor.
    public Account account() {
        return account;
    }

    /// Whether nobody has closed it yet. Any thread may ask; another may close it right after.
    public boolean isOpen() {
        return number() != CLOSED;
    }

    /// Closes the descriptor. Errors of close(2) are not reported: Linux frees the number whatever it answers, and
    /// what write-back failed to store is told by fsync alone.
    @Override
    public void close() {
        int open = (int) NUMBER.getAndSet(this, CLOSED);
        if (open != CLOSED) {
            kernel.close(open, name, account);
        }
    }

    @Override
    public String toString() {
        return name + " (descriptor " + number() + ")";
    }
}
