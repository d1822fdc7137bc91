package dev.sluice.io.linux;

/// What every native call passes before it is made. The product's gate is [#OPEN]; fault tests hand in one that
/// refuses, shortens or delays chosen calls. It is given to a [Kernel], so that the faults of one broker never
/// reach another broker of the same JVM.
///
/// Called on the thread that makes the call; must be thread-safe. A gate that delays a call sleeps in [#admit].
@FunctionalInterface
public interface Gate {
    /// Lets every call through as it is.
    Gate OPEN = new Gate() {
        @Override
        public long admit(Call call, String subject, long position, long lengthBytes) {
            return lengthBytes;
        }

        @Override
        public boolean mayShorten() {
            return false;
        }
    };

    /// The answer that leaves an fsync or fdatasync undone and tells its caller that it was done: a device that
    /// lies.
    long PRETEND = Long.MIN_VALUE;

    /// Decides about one call.
    ///
    /// @param subject     the name of the descriptor, or the path
    /// @param position    the byte of the file it is for, or -1 where that has no meaning
    /// @param lengthBytes how many bytes the caller asks for; 0 where that has no meaning
    /// @return `lengthBytes` to make the call as asked, a smaller number ≥ 1 to ask the kernel for less (a short
    ///     count), or a negative error number: the call is then not made and that number is its answer. For fsync
    ///     and fdatasync also [#PRETEND]
    long admit(Call call, String subject, long position, long lengthBytes);

    /// Whether this gate may make a call short. A caller that concludes from a short count that a socket is empty
    /// asks once more if so.
    ///
    /// From EAGAIN every caller concludes that, and waits for the next edge: a gate that answers it for an
    /// edge-triggered socket which has bytes, or room, stalls the connection until its peer does something.
    default boolean mayShorten() {
        return true;
    }
}
