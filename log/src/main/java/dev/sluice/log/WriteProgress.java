package dev.sluice.log;

import dev.sluice.io.linux.Errno;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/// Takes what an asynchronous engine says of one segment to its log. On the engine's thread.
final class WriteProgress implements SegmentWriter.Progress {
    private final LogState state;
    private final HighWatermark watermark;
    private final Segment segment;

    WriteProgress(LogState state, HighWatermark watermark, Segment segment) {
        this.state = state;
        this.watermark = watermark;
        this.segment = segment;
    }

    @Override
    public void written(long mark) {
        watermark.writtenUpTo(new End(segment, mark));
    }

    @Override
    public void grown(long lengthBytes) {
        if (watermark.isBoundByWrites()) {
            state.listeners().grown(lengthBytes);
        }
    }

    /// Off the engine's thread: the lock may be held by somebody who waits for another write.
    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // it throws nothing
    public void failed(int errno, String what) {
        try {
            state.context().flushing().threads().schedule(() -> lose(errno, what), 0, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // The folder was closed: nobody waits any more.
        }
    }

    private void lose(int errno, String what) {
        state.lock().lock();
        try {
            if (!state.isClosed()) {
                state.fail(new AppendOutcome.Failed(
                        errno,
                        true,
                        what + ": " + Errno.describe(errno) + ". What was appended from offset " + watermark.offset()
                                + " on is not acknowledged; " + state.name() + LogState.STOPPED));
            }
        } finally {
            state.lock().unlock();
        }
        state.listeners().stopped();
    }
}
