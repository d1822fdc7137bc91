package dev.sluice.broker;

import dev.sluice.log.LogDirectory;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets go of segments by age and size, as the topics' configurations say, on a thread of its own.
final class Retention {
    private static final Logger LOG = LoggerFactory.getLogger(Retention.class);

    private final LogDirectory directory;
    private final SteadyClock clock;
    private final Periodic thread;

    Retention(LogDirectory directory, SteadyClock clock, long intervalMs) {
        this.directory = directory;
        this.clock = clock;
        this.thread = new Periodic("retention", intervalMs, this::look);
    }

    private void look() throws IOException {
        directory.retain(
                clock.nowMs(),
                gone -> LOG.info(
                        "{}-{}: {} segments with {} bytes were deleted; it begins at offset {} now",
                        gone.topic(),
                        gone.partition(),
                        gone.segments(),
                        gone.bytes(),
                        gone.logStartOffset()));
    }

    /// @return whether it has ended
    boolean stop() {
        return thread.stop();
    }
}
