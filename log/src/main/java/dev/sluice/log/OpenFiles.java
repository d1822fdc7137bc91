package dev.sluice.log;

import java.util.LinkedHashSet;
import org.jspecify.annotations.Nullable;

/// The files of a data folder that are open though nobody uses them now: at most so many, the one longest unused is
/// closed first. It bounds the descriptors by this number and by those in use.
///
/// Thread-safe. Its lock is taken inside that of a [CachedFile], never the other way around.
final class OpenFiles {
    private final int limit;
    private final LinkedHashSet<CachedFile> idle = new LinkedHashSet<>();

    OpenFiles(int limit) {
        this.limit = limit;
    }

    /// The file's last reference went.
    void idle(CachedFile file) {
        CachedFile eldest = add(file);
        if (eldest != null) {
            eldest.closeIfIdle();
        }
    }

    private synchronized @Nullable CachedFile add(CachedFile file) {
        idle.add(file);
        return idle.size() > limit ? idle.removeFirst() : null;
    }

    /// The file is used again, or gone.
    synchronized void used(CachedFile file) {
        idle.remove(file);
    }

    synchronized int size() {
        return idle.size();
    }
}
