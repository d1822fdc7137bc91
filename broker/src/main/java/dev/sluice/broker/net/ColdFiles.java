package dev.sluice.broker.net;

import dev.sluice.io.linux.Descriptor;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The files that consumers read from the disk, each with a descriptor of its own: which of them stay open for what
/// comes next.
///
/// Thread-safe.
final class ColdFiles implements AutoCloseable {
    /// Files that one consumer has open at a time, where it reads no more of them at once.
    static final int MOST_OF_ONE = 16;

    /// After so long without being read a file is closed: it may have been deleted, and keeps its room till then.
    static final long UNUSED_NS = TimeUnit.SECONDS.toNanos(30);

    /// Who reads what, by the descriptor that spans come with.
    private record Way(Object reader, Descriptor file) {}

    private static final class Kept {
        private final ColdFile file;
        private long usedNs;

        Kept(ColdFile file, long nowNs) {
            this.file = file;
            this.usedNs = nowNs;
        }
    }

    private final int most;
    private final LongSupplier clock;

    /// The one that was used last comes last. Guarded by itself; nothing is opened or closed under its lock.
    private final Map<Way, Kept> files = new LinkedHashMap<>(16, 0.75f, true);

    /// @param most  files that are open at a time, one for each consumer and file; above it are only those that
    ///              somebody waits for
    /// @param clock in nanoseconds
    ColdFiles(int most, LongSupplier clock) {
        this.most = most;
        this.clock = clock;
    }

    /// What a consumer reads a file with, or null; used by this.
    @Nullable ColdFile use(Object reader, Descriptor file) {
        synchronized (files) {
            Kept known = files.get(new Way(reader, file));
            if (known == null) {
                return null;
            }
            known.usedNs = clock.getAsLong();
            return known.file;
        }
    }

    /// Before one more is opened: of this consumer's the longest unused ones go, then those of all.
    void makeRoom(Object reader) {
        synchronized (files) {
            closeUnused();
            long its =
                    files.keySet().stream().filter(way -> way.reader == reader).count();
            Iterator<Map.Entry<Way, Kept>> eldest = files.entrySet().iterator();
            while (eldest.hasNext() && (its >= MOST_OF_ONE || files.size() >= most)) {
                Map.Entry<Way, Kept> entry = eldest.next();
                boolean isIts = entry.getKey().reader == reader;
                if ((isIts || files.size() >= most) && entry.getValue().file.closeIfAtRest()) {
                    eldest.remove();
                    its -= isIts ? 1 : 0;
                }
            }
        }
    }

    /// Takes over what was opened after [#makeRoom]. It should be at work already, or others may find it at rest.
    void keep(Object reader, Descriptor file, ColdFile opened) {
        synchronized (files) {
            files.put(new Way(reader, file), new Kept(opened, clock.getAsLong()));
        }
    }

    /// Closes the files that nobody has read for [#UNUSED_NS].
    ///
    /// @return whether any are left, to be looked at again
    boolean closeUnused() {
        long nowNs = clock.getAsLong();
        synchronized (files) {
            files.values()
                    .removeIf(kept ->
                            kept.file.isClosed() || (nowNs - kept.usedNs >= UNUSED_NS && kept.file.closeIfAtRest()));
            return !files.isEmpty();
        }
    }

    /// Nobody reads for this one any more: what it waits for is not told to it.
    void forget(Object reader) {
        synchronized (files) {
            files.entrySet().removeIf(entry -> {
                boolean its = entry.getKey().reader == reader;
                if (its) {
                    entry.getValue().file.close();
                }
                return its;
            });
        }
    }

    @Override
    public void close() {
        synchronized (files) {
            files.values().forEach(kept -> kept.file.close());
            files.clear();
        }
    }
}
