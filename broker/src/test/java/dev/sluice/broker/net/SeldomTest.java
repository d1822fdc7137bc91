package dev.sluice.broker.net;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class SeldomTest {
    private long nowNs = Long.MAX_VALUE;

    @Test
    void soManyLinesASecondAreToldAndTheOthersCounted() {
        Seldom seldom = new Seldom(() -> nowNs);
        int told = 0;
        for (int i = 0; i < 100; i++) {
            told += seldom.mayTell() ? 1 : 0;
        }
        assertThat(told).isEqualTo(10);

        nowNs += 1_000_000_000;
        assertThat(seldom.mayTell()).isTrue();
        assertThat(seldom.leftOut()).isEqualTo(" (90 more such lines were left out)");
        assertThat(seldom.leftOut()).isEmpty();
    }
}
