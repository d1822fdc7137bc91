package dev.sluice.io.transfer;

import java.util.Optional;

/// How a transfer is to be done. Begin with [#DEFAULT].
///
/// @param method        the method to begin with, or empty to have it planned
/// @param strict        whether the transfer fails, rather than go on with another method, when the system refuses
///                      `method`
/// @param chunkBytes    most bytes a call is asked to move, and the size of buffers; 0 for each method's own
/// @param idleTimeoutNs fail when nothing has moved for so long; 0 for never
/// @param timeoutNs     fail when the whole has taken so long; 0 for never
/// @param cancellation  looked at between calls
/// @param listener      told how far the transfer is
/// @param measured      whether [Transfer#run] measures processor time, faults, device reads and interrupts around
///     itself, which costs some reads of /proc
/// @param prefaulted    whether pages that are mapped for the transfer are brought in by a call before they are used,
///     instead of by faults in the calls that use them; of [Method#MMAP_WRITE] alone
public record TransferOptions(
        Optional<Method> method,
        boolean strict,
        int chunkBytes,
        long idleTimeoutNs,
        long timeoutNs,
        Optional<Cancellation> cancellation,
        Optional<Listener> listener,
        boolean measured,
        boolean prefaulted) {

    /// Told on the transfer's thread after each step.
    @FunctionalInterface
    public interface Listener {
        /// @param deliveredBytes what the sink has taken so far
        /// @param lengthBytes    what was asked for, or [Transfer#UNTIL_END]
        void moved(long deliveredBytes, long lengthBytes);
    }

    /// Planned, with fallbacks, no limits, nothing measured.
    public static final TransferOptions DEFAULT =
            new TransferOptions(Optional.empty(), false, 0, 0, 0, Optional.empty(), Optional.empty(), false, false);

    /// @throws IllegalArgumentException when a number is negative, or it is strict about no method
    public TransferOptions {
        if (chunkBytes < 0 || idleTimeoutNs < 0 || timeoutNs < 0) {
            throw new IllegalArgumentException("Sizes and times are not negative: chunkBytes " + chunkBytes
                    + ", idleTimeoutNs " + idleTimeoutNs + ", timeoutNs " + timeoutNs);
        }
        if (strict && method.isEmpty()) {
            throw new IllegalArgumentException("Strict about a method, but none was named");
        }
    }

    /// Only this method: the transfer fails where the system refuses it.
    public TransferOptions only(Method newMethod) {
        return new TransferOptions(
                Optional.of(newMethod),
                true,
                chunkBytes,
                idleTimeoutNs,
                timeoutNs,
                cancellation,
                listener,
                measured,
                prefaulted);
    }

    /// This method first, others where the system refuses it.
    public TransferOptions preferring(Method newMethod) {
        return new TransferOptions(
                Optional.of(newMethod),
                false,
                chunkBytes,
                idleTimeoutNs,
                timeoutNs,
                cancellation,
                listener,
                measured,
                prefaulted);
    }

    /// The most bytes that a call is asked to move, and the size of buffers; 0 for each method's own.
    ///
    /// @throws IllegalArgumentException when it is negative
    public TransferOptions withChunkBytes(int newChunkBytes) {
        return new TransferOptions(
                method, strict, newChunkBytes, idleTimeoutNs, timeoutNs, cancellation, listener, measured, prefaulted);
    }

    /// Fails when nothing has moved for so many nanoseconds; 0 for never.
    ///
    /// @throws IllegalArgumentException when it is negative
    public TransferOptions withIdleTimeoutNs(long newIdleTimeoutNs) {
        return new TransferOptions(
                method, strict, chunkBytes, newIdleTimeoutNs, timeoutNs, cancellation, listener, measured, prefaulted);
    }

    /// Fails when the whole has taken so many nanoseconds; 0 for never.
    ///
    /// @throws IllegalArgumentException when it is negative
    public TransferOptions withTimeoutNs(long newTimeoutNs) {
        return new TransferOptions(
                method, strict, chunkBytes, idleTimeoutNs, newTimeoutNs, cancellation, listener, measured, prefaulted);
    }

    /// What may stop it from another thread.
    public TransferOptions withCancellation(Cancellation newCancellation) {
        return new TransferOptions(
                method,
                strict,
                chunkBytes,
                idleTimeoutNs,
                timeoutNs,
                Optional.of(newCancellation),
                listener,
                measured,
                prefaulted);
    }

    /// Who is told after each step.
    public TransferOptions withListener(Listener newListener) {
        return new TransferOptions(
                method,
                strict,
                chunkBytes,
                idleTimeoutNs,
                timeoutNs,
                cancellation,
                Optional.of(newListener),
                measured,
                prefaulted);
    }

    /// Has [Transfer#run] measure processor time, faults, device reads and interrupts around itself.
    public TransferOptions withMeasurement() {
        return new TransferOptions(
                method, strict, chunkBytes, idleTimeoutNs, timeoutNs, cancellation, listener, true, prefaulted);
    }

    /// Has mapped pages brought in by a call before they are used; of [Method#MMAP_WRITE] alone.
    public TransferOptions withPrefault() {
        return new TransferOptions(
                method, strict, chunkBytes, idleTimeoutNs, timeoutNs, cancellation, listener, measured, true);
    }

    /// Whether anybody wants to be asked while a call waits.
    boolean hasLimits() {
        return idleTimeoutNs > 0 || timeoutNs > 0 || cancellation.isPresent();
    }
}
