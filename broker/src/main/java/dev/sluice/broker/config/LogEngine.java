package dev.sluice.broker.config;

import dev.sluice.io.async.QueueConfig;
import dev.sluice.log.DirectOptions;
import dev.sluice.log.SegmentWriter;

/// How records get to the disk: the values of `sluice.log.engine`.
public enum LogEngine {
    PWRITE("pwrite"),
    MAPPED("mapped"),
    DIRECT("direct");

    private final String word;

    LogEngine(String word) {
        this.word = word;
    }

    /// As it is written in a configuration.
    public String word() {
        return word;
    }

    SegmentWriter.Engine make(long directPoolBytes) {
        return switch (this) {
            case PWRITE -> SegmentWriter.pwrite();
            case MAPPED -> SegmentWriter.mapped();
            case DIRECT -> SegmentWriter.direct(new DirectOptions(directPoolBytes, QueueConfig.Engine.BEST));
        };
    }
}
