package dev.sluice.log;

import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListenerTest {
    @TempDir
    Path temporary;

    private static LogListener onGrowth(Consumer<PartitionLog> what) {
        return new LogListener() {
            @Override
            public void grown(PartitionLog log, long lengthBytes) {
                what.accept(log);
            }

            @Override
            public void stopped(PartitionLog log) {
                // at the end of the test
            }
        };
    }

    @Test
    void aListenerHearsOfEveryAppendAndOfNothingElse() throws IOException {
        try (Folder folder = new Folder(temporary.resolve("data"))) {
            PartitionLog log = folder.create("t", 0);
            List<Long> heard = new ArrayList<>();
            LogListener listener = onGrowth(same -> heard.add(same.highWatermark()));
            append(log, batch());
            log.addListener(listener);
            append(log, batch().records(3).producer(1, 0, 0));
            log.append(batch().records(3).producer(1, 0, 0).view()); // a duplicate
            log.append(batch().records(3).producer(1, 0, 99).view()); // out of order
            Faults.Fault full = folder.faults.always(Call.PWRITE, ".log", Errno.ENOSPC);
            log.append(batch().view());
            full.heal();
            append(log, batch());
            log.removeListener(listener);
            append(log, batch());

            assertThat(heard).containsExactly(4L, 5L);
        }
    }

    @Test
    void aListenerMayWaitForAnotherThreadThatUsesTheLog() throws IOException {
        try (Folder folder = new Folder(temporary.resolve("data"))) {
            PartitionLog log = folder.create("t", 0);
            List<Long> seen = new ArrayList<>();
            // Were it called under the log's lock, this would never return.
            log.addListener(onGrowth(same -> {
                if (same.logEndOffset() == 1) {
                    CompletableFuture.runAsync(() -> append(same, batch())).join();
                    seen.add(same.logEndOffset());
                }
            }));
            append(log, batch());

            assertThat(seen).containsExactly(2L);
        }
    }
}
