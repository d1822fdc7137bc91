package dev.sluice.broker.net;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// What the consumers that read from the disk, through the page cache, have in common: the files that are open for
/// them, and who reads which.
///
/// Each has a [ColdStream] for each file. What a file's only reader has far behind it is dropped from the page cache
/// again, so that it drives out nothing that others read. Where several read a file, what one has brought in is there
/// for all.
///
/// Thread-safe.
final class ColdReader {
    /// For how long nothing is dropped of a file that somebody else has read.
    private static final long SHARED_NS = TimeUnit.SECONDS.toNanos(10);
    private static final int MOST_FILES = 1024;

    private final Kernel kernel;
    private final Account account = Account.root("cold reads");
    private final ColdThreads threads;
    private final ColdFiles files;
    private final LongSupplier clock;

    /// Who has read a file last, by the descriptor that spans come with. Guarded by itself.
    private final Map<Descriptor, Reading> readings = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Descriptor, Reading> eldest) {
            return size() > MOST_FILES;
        }
    };

    private static final class Reading {
        private Object reader;
        private long lastNs;
        private long sharedUntilNs;

        Reading(Object reader, long nowNs) {
            this.reader = reader;
            this.lastNs = nowNs;
            this.sharedUntilNs = nowNs;
        }
    }

    /// @param threads close what is not needed any more; borrowed
    /// @param files   what it opens is kept there; borrowed
    /// @param clock   in nanoseconds
    ColdReader(Kernel kernel, ColdThreads threads, ColdFiles files, LongSupplier clock) {
        this.kernel = kernel;
        this.threads = threads;
        this.files = files;
        this.clock = clock;
    }

    /// What a consumer reads a file with; opened if need be.
    ///
    /// @param reader told apart by identity; to be forgotten by the files when it is gone
    /// @return null when it can't be opened: for want of descriptors, say
    @Nullable ColdStream stream(Object reader, Descriptor file) {
        if (files.use(reader, file) instanceof ColdStream known && !known.isClosed()) {
            return known;
        }
        files.makeRoom(reader);
        // Of the same file even if it was unlinked. Not the segment's own descriptor: that has the advice that it is
        // read at random.
        Path path = Path.of("/proc/self/fd/" + file.number());
        if (!(kernel.files().open(path, Files.O_RDONLY, 0, account) instanceof Opened.Ok ok)) {
            return null;
        }
        ColdStream begun = new ColdStream(kernel, threads, ok.descriptor());
        files.keep(reader, file, begun);
        return begun;
    }

    /// Notes that a consumer reads a file.
    ///
    /// @return whether another one has read it from the disk lately, or reads it
    boolean isShared(Object reader, Descriptor file) {
        long nowNs = clock.getAsLong();
        synchronized (readings) {
            Reading reading = readings.computeIfAbsent(file, _ -> new Reading(reader, nowNs));
            if (reading.reader != reader) {
                if (nowNs - reading.lastNs < SHARED_NS) {
                    reading.sharedUntilNs = nowNs + SHARED_NS;
                }
                reading.reader = reader;
            }
            reading.lastNs = nowNs;
            return reading.sharedUntilNs - nowNs > 0;
        }
    }
}
