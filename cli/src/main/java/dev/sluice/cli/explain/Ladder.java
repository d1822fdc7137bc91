package dev.sluice.cli.explain;

import dev.sluice.cli.explain.Trace.Entry;
import dev.sluice.io.linux.Call;
import java.util.ArrayList;
import java.util.List;

/// A trace as steps between user and kernel mode: what repeats stands there once, with how often.
///
/// @param rungs in order
record Ladder(List<Rung> rungs) {
    private static final int LONGEST_PATTERN = 4;

    /// Room for `1,234 more calls`.
    private static final int OTHERS = 20;

    /// Calls that follow each other, so many times.
    record Rung(List<Entry> calls, long times) {
        long total() {
            return calls.size() * times;
        }
    }

    /// Folds a trace. Calls are alike when they are the same call: the lengths of the first are shown.
    static Ladder of(List<Entry> trace) {
        List<Call> calls = trace.stream().map(Entry::call).toList();
        List<Rung> rungs = new ArrayList<>();
        int at = 0;
        while (at < calls.size()) {
            int bestLength = 1;
            int bestTimes = 1;
            for (int length = 1; length <= LONGEST_PATTERN && at + length <= calls.size(); length++) {
                int times = repeats(calls, at, length);
                if (times > 1 && times * length > bestTimes * bestLength) {
                    bestLength = length;
                    bestTimes = times;
                }
            }
            rungs.add(new Rung(List.copyOf(trace.subList(at, at + bestLength)), bestTimes));
            at += bestLength * bestTimes;
        }
        return new Ladder(List.copyOf(rungs));
    }

    private static int repeats(List<Call> calls, int at, int length) {
        List<Call> pattern = calls.subList(at, at + length);
        int times = 1;
        while (at + (times + 1) * length <= calls.size()
                && calls.subList(at + times * length, at + (times + 1) * length).equals(pattern)) {
            times++;
        }
        return times;
    }

    /// As many rungs from the beginning as fit; what comes after is one that says how many calls those are.
    ///
    /// @param characters that there is room for, the calls' names and four for each call
    Ladder within(int characters) {
        List<Rung> kept = new ArrayList<>();
        int room = characters - OTHERS;
        for (Rung rung : rungs) {
            for (Entry call : rung.calls()) {
                room -= Explanation.text(call).length() + 4;
            }
            room -= rung.times() > 1 ? 10 : 0;
            if (room < 0) {
                break;
            }
            kept.add(rung);
        }
        long others = rungs.stream().mapToLong(Rung::total).sum()
                - kept.stream().mapToLong(Rung::total).sum();
        if (others > 0) {
            kept.add(new Rung(List.of(), others));
        }
        return new Ladder(List.copyOf(kept));
    }
}
