package dev.sluice.log;

import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.time.InstantSource;

/// What all logs of a data folder share.
///
/// @param clock     wall-clock time, for what Kafka decides by it
/// @param logStarts makes durable where logs begin
/// @param flushing  where appends are flushed
/// @param ceilings  asks for the ceilings of logs that want it to be raised; returns at once, see [Ceilings]
record LogContext(
        Kernel kernel,
        OpenFiles openFiles,
        SegmentWriter.Engine engine,
        InstantSource clock,
        SpaceReserve reserve,
        LogStarts logStarts,
        Flushing flushing,
        Runnable ceilings) {
    /// What a log is written by. What the broker writes for itself goes through the page cache always: it is
    /// little, read again and again, and must be written on a full disk too.
    SegmentWriter.Engine engineFor(LogConfig config) {
        return config.vital() ? SegmentWriter.plain() : engine;
    }

    /// Makes durable where the logs of the folder begin now.
    @FunctionalInterface
    interface LogStarts {
        /// @throws IOException when that could not be written; nothing that lies below may be removed then
        void keep() throws IOException;
    }
}
