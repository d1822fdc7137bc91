package dev.sluice.cli.explain;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Gate;
import java.util.ArrayList;
import java.util.List;

/// Writes down, in order, the calls that one thread makes, and lets them through. The gate may be used by others; only
/// the thread that turned it on is written down.
final class Trace implements Gate {
    /// Enough for 1 GiB in pieces of 8 KiB; what comes after is counted by the account alone.
    private static final int MOST_CALLS = 1 << 18;

    /// One call.
    ///
    /// @param lengthBytes asked for; 0 where that has no meaning
    record Entry(Call call, long lengthBytes) {}

    private final List<Entry> entries = new ArrayList<>();
    private volatile long watched = -1;

    /// From now on this thread's calls are written down.
    void start() {
        watched = Thread.currentThread().threadId();
    }

    void stop() {
        watched = -1;
    }

    /// What was written down. Ask for it on the watched thread.
    List<Entry> entries() {
        return entries;
    }

    @Override
    public long admit(Call call, String subject, long position, long lengthBytes) {
        if (Thread.currentThread().threadId() == watched && entries.size() < MOST_CALLS && !isOurInstrument(call)) {
            entries.add(new Entry(call, lengthBytes));
        }
        return lengthBytes;
    }

    /// Calls that measure the transfer and aren't a part of it.
    private static boolean isOurInstrument(Call call) {
        return call == Call.GETRUSAGE || call == Call.CACHESTAT || call == Call.STATX;
    }

    @Override
    public boolean mayShorten() {
        return false;
    }
}
