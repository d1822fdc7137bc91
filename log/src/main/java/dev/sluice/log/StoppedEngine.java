package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Path;

/// An engine that needs something of its own for each data folder, before it has that.
///
/// @param starter        makes the one for a folder
/// @param isAsynchronous what that will be, asked before it is started
record StoppedEngine(Starter starter, boolean isAsynchronous) implements SegmentWriter.Engine {
    /// [SegmentWriter.Engine#start].
    interface Starter {
        SegmentWriter.Engine start(Kernel kernel, Path folder, Account account) throws IOException;
    }

    @Override
    public SegmentWriter.Engine start(Kernel kernel, Path folder, Account account) throws IOException {
        return starter.start(kernel, folder, account);
    }

    @Override
    public SegmentWriter open(
            Kernel kernel, Descriptor file, long endBytes, long stepBytes, SegmentWriter.Progress progress) {
        throw new IllegalStateException("this engine is started for a folder before it opens a file");
    }
}
