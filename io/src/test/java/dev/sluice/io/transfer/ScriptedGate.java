package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Gate;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/// A gate that counts what passes and does to it what a test says. Everything passes until [#on] is called, so that the
/// ends can be made.
final class ScriptedGate implements Gate {
    /// Calls that move bytes.
    static final Set<Call> MOVING = EnumSet.of(
            Call.READ,
            Call.PREAD,
            Call.PREADV2,
            Call.WRITE,
            Call.PWRITE,
            Call.PWRITEV2,
            Call.RECV,
            Call.SEND,
            Call.SENDMSG,
            Call.SENDFILE,
            Call.SPLICE,
            Call.COPY_FILE_RANGE);

    private final Map<Call, Long> counts = new EnumMap<>(Call.class);
    private Gate script = Gate.OPEN;
    private boolean on;

    /// Begins to count and to apply `newScript`.
    synchronized void on(Gate newScript) {
        on = true;
        script = newScript;
        counts.clear();
    }

    synchronized void off() {
        on = false;
    }

    synchronized Map<Call, Long> counts() {
        return new EnumMap<>(counts);
    }

    @Override
    public long admit(Call call, String subject, long position, long lengthBytes) {
        Gate current;
        synchronized (this) {
            if (!on) {
                return lengthBytes;
            }
            counts.merge(call, 1L, Long::sum);
            current = script;
        }
        return current.admit(call, subject, position, lengthBytes);
    }

    /// Makes every count short, at random.
    static Gate shortCounts(long seed) {
        Random random = new Random(seed);
        return (call, subject, position, length) -> MOVING.contains(call) && length > 1
                ? 1 + (long) (random.nextDouble() * Math.min(length, 100_000)) % length
                : length;
    }

    /// Answers an error instead of every n-th moving call, never twice in a row.
    static Gate failingEach(int n, int errno, Set<Call> calls) {
        int[] seen = new int[1];
        return (call, subject, position, length) -> calls.contains(call) && ++seen[0] % n == 0 ? -errno : length;
    }

    /// Does something before the n-th moving call, counted from 1.
    static Gate before(int n, Runnable action) {
        int[] seen = new int[1];
        return (call, subject, position, length) -> {
            if (MOVING.contains(call) && ++seen[0] == n) {
                action.run();
            }
            return length;
        };
    }

    /// Answers an error instead of the n-th moving call and every later one of the same kind.
    static Gate failingFrom(int n, int errno, Set<Call> calls) {
        int[] seen = new int[1];
        return (call, subject, position, length) -> calls.contains(call) && ++seen[0] >= n ? -errno : length;
    }

    /// First one, then the other, of a call that the first lets through.
    static Gate both(Gate first, Gate second) {
        return (call, subject, position, length) -> {
            long admitted = first.admit(call, subject, position, length);
            return admitted < 0 ? admitted : second.admit(call, subject, position, admitted);
        };
    }
}
