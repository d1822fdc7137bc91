package dev.sluice.log;

import dev.sluice.io.linux.Kernel;
import java.time.InstantSource;

/// What all logs of a data folder share.
///
/// @param clock wall-clock time, for what Kafka decides by it
record LogContext(
        Kernel kernel, OpenFiles openFiles, SegmentWriter.Engine engine, InstantSource clock, Flushing flushing) {}
