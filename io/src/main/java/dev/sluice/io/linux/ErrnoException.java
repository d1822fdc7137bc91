package dev.sluice.io.linux;

import java.io.IOException;
import java.io.Serial;
import java.util.Objects;

/// A native call failed in a way that its caller could not treat as ordinary.
///
/// Carries what an operator needs: which call, on what, where in it, and the number.
public final class ErrnoException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Call call;
    private final int errno;

    /// @param call    the system call that failed
    /// @param errno   the positive error number
    /// @param subject the path or peer it was made on
    public ErrnoException(Call call, int errno, String subject) {
        super(call.kernelName() + " " + subject + ": " + Errno.describe(errno));
        this.call = call;
        this.errno = errno;
    }

    /// @param position the byte of the file at which it failed
    public ErrnoException(Call call, int errno, String subject, long position) {
        super(call.kernelName() + " " + subject + " at byte " + position + ": " + Errno.describe(errno));
        this.call = call;
        this.errno = errno;
    }

    /// Never null, unlike that of other exceptions.
    @Override
    public String getMessage() {
        return Objects.requireNonNull(super.getMessage());
    }

    /// The call that failed.
    public Call call() {
        return call;
    }

    /// The positive error number, one of [Errno].
    public int errno() {
        return errno;
    }

    /// Answers `result` when it is not negative, and throws the failure that it stands for otherwise.
    public static long check(long result, Call call, String subject) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(call, (int) -result, subject);
        }
        return result;
    }
}
