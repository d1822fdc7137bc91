package dev.sluice.cli.explain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.explain.Ladder.Rung;
import dev.sluice.cli.explain.Trace.Entry;
import dev.sluice.io.linux.Call;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Folding a trace loses no call and keeps the order.
@Timeout(180)
class LadderTest {
    @Test
    void aRepeatedPairIsOneRung() {
        List<Entry> trace = new ArrayList<>();
        trace.add(new Entry(Call.MMAP, 0));
        for (int i = 0; i < 5; i++) {
            trace.add(new Entry(Call.PREAD, 4096));
            trace.add(new Entry(Call.SEND, 4096));
        }
        trace.add(new Entry(Call.POLL, 0));
        List<Rung> rungs = Ladder.of(trace).rungs();
        assertThat(rungs).extracting(Rung::times).containsExactly(1L, 5L, 1L);
        assertThat(rungs.get(1).calls()).extracting(Entry::call).containsExactly(Call.PREAD, Call.SEND);
    }

    @Test
    void whatDoesNotFitIsCounted() {
        List<Entry> trace = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            trace.add(new Entry(i % 3 == 0 ? Call.PREAD : i % 7 == 0 ? Call.POLL : Call.SEND, 4096));
        }
        Ladder whole = Ladder.of(trace);
        Ladder fitting = whole.within(60);
        assertThat(whole.rungs().stream().mapToLong(Rung::total).sum()).isEqualTo(100);
        assertThat(fitting.rungs().size()).isLessThan(whole.rungs().size());
        Rung last = fitting.rungs().getLast();
        assertThat(last.calls()).isEmpty();
        assertThat(fitting.rungs().stream().mapToLong(Rung::total).sum() + last.times())
                .isEqualTo(100);
    }
}
