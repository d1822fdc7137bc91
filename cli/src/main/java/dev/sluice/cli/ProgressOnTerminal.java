package dev.sluice.cli;

import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// A bar on standard error, drawn five times a second by a thread of the library's. Loaded only where somebody watches.
final class ProgressOnTerminal implements Progress {
    private static final int UPDATE_MS = 200;

    /// Of every terminal. Asked for the real one, the library loads JLine, which takes Ctrl-C away from us: the
    /// process then ends at once, without a word and without tidying up.
    private static final int WIDTH = 79;

    private static final long MIB = 1024 * 1024;

    /// Steps are handed on in pieces, so that a record costs an addition.
    private static final long STEP_BYTES = 64 * 1024;

    private final ProgressBar bar;
    private final long step;
    private long pendingBytes;

    private ProgressOnTerminal(ProgressBar bar, long step) {
        this.bar = bar;
        this.step = step;
    }

    /// A bar of steps that take a while each, instead of bytes.
    static Progress startOfSteps(String task, long total) {
        return new ProgressOnTerminal(
                new ProgressBarBuilder()
                        .setTaskName(task)
                        .setInitialMax(total)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis(UPDATE_MS)
                        .clearDisplayOnFinish()
                        .setConsumer(new ConsoleProgressBarConsumer(System.err, WIDTH))
                        .build(),
                1);
    }

    /// @param totalBytes -1 if nobody knows
    static Progress start(String task, long totalBytes) {
        return new ProgressOnTerminal(
                new ProgressBarBuilder()
                        .setTaskName(task)
                        .setInitialMax(totalBytes)
                        .setUnit(" MiB", MIB)
                        .showSpeed()
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis(UPDATE_MS)
                        .clearDisplayOnFinish()
                        // A plain line that is drawn over; the default moves the cursor about where the terminal can.
                        .setConsumer(new ConsoleProgressBarConsumer(System.err, WIDTH))
                        .build(),
                STEP_BYTES);
    }

    @Override
    public void advance(long bytes) {
        pendingBytes += bytes;
        if (pendingBytes >= step) {
            bar.stepBy(pendingBytes);
            pendingBytes = 0;
        }
    }

    @Override
    public void close() {
        bar.stepBy(pendingBytes);
        pendingBytes = 0;
        bar.close();
    }
}
