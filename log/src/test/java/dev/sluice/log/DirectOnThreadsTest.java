package dev.sluice.log;

import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.linux.Call;

/// The direct engine where io_uring is refused.
class DirectOnThreadsTest extends DirectSegmentWriterTest {
    @Override
    QueueConfig.Engine queue() {
        return QueueConfig.Engine.THREADS;
    }

    @Override
    Call writeCall() {
        return Call.PWRITEV2;
    }
}
