package dev.sluice.log;

import java.util.Arrays;

/// Who is told what becomes of one log. Thread-safe; telling takes no lock.
final class LogListeners {
    private final PartitionLog log;
    /// Changed under this object's lock, which is not that of appends: they may wait for the disk.
    private volatile LogListener[] listeners = {};

    LogListeners(PartitionLog log) {
        this.log = log;
    }

    synchronized void add(LogListener listener) {
        LogListener[] more = Arrays.copyOf(listeners, listeners.length + 1);
        more[listeners.length] = listener;
        listeners = more;
    }

    synchronized void remove(LogListener listener) {
        listeners = Arrays.stream(listeners).filter(each -> each != listener).toArray(LogListener[]::new);
    }

    /// See [LogListener#grown]. Under no lock of the log.
    void grown(long lengthBytes) {
        for (LogListener listener : listeners) {
            listener.grown(log, lengthBytes);
        }
    }

    /// See [LogListener#stopped]. Under no lock of the log.
    void stopped() {
        for (LogListener listener : listeners) {
            listener.stopped(log);
        }
    }
}
