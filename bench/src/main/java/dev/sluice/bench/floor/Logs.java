package dev.sluice.bench.floor;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.BatchBuilder;
import dev.sluice.log.BatchView;
import dev.sluice.log.Identity;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.PartitionLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;

/// A data folder below target/bench, and batches to put in it.
final class Logs implements AutoCloseable {
    private static final Identity IDENTITY = new Identity("bench", 1);
    private static final long TIMESTAMP_MS = 1_700_000_000_000L;

    private final Path folder;
    private final LogDirectory directory;
    private final LogConfig config;
    private int partitions;

    Logs(LogConfig config) throws IOException {
        this.config = config;
        folder = Files.createTempDirectory(Files.createDirectories(Path.of("target", "bench")), "floor-");
        directory = LogDirectory.open(
                new Kernel(), folder, IDENTITY, config, InstantSource.system(), Account.root("segments"));
    }

    PartitionLog create() throws IOException {
        return directory.create("bench", partitions++, new UUID(1, 1), config);
    }

    void delete(PartitionLog log) throws IOException {
        directory.delete(log);
    }

    /// One batch of that length, more or less: records of 1 KiB, or one that fills it.
    static BatchView batch(int lengthBytes) {
        Random random = new Random(7);
        BatchBuilder builder = new BatchBuilder();
        int recordBytes = Math.min(1024, lengthBytes - BatchView.HEADER_BYTES);
        for (int left = lengthBytes - BatchView.HEADER_BYTES; left > 0; left -= recordBytes + 10) {
            byte[] value = new byte[recordBytes];
            random.nextBytes(value);
            builder.add(TIMESTAMP_MS, null, value);
        }
        return builder.build();
    }

    @Override
    public void close() throws IOException {
        directory.close();
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path each : deepestFirst) {
                Files.deleteIfExists(each);
            }
        }
    }
}
