package dev.sluice.io.buffer;

/// A buffer that nobody refers to any more and nobody has released: its memory is lost to its pool.
///
/// @param lengthBytes what it had
/// @param acquired    where it was acquired: its stack trace and message tell place and thread
public record Leak(long lengthBytes, Throwable acquired) {
    @Override
    public String toString() {
        StackTraceElement[] stack = acquired.getStackTrace();
        return "A buffer of " + lengthBytes + " bytes was never released; " + acquired.getMessage()
                + (stack.length == 0 ? "" : " at " + stack[0]);
    }
}
