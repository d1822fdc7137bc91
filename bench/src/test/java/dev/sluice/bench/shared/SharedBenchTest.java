package dev.sluice.bench.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Every message arrives as it was sent (the second JVM checks them), and copies are counted: by sockets two a byte, by
/// a pool none.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class SharedBenchTest {
    @Test
    void aPoolCopiesNothingAndASocketEachByteTwice() throws Exception {
        SharedBench bench = new SharedBench();
        bench.options()
                .parse(List.of(
                        "--way",
                        "pool",
                        "--way",
                        "unix",
                        "--mib",
                        "1",
                        "--messages",
                        "1000",
                        "--rounds",
                        "1",
                        "--round-trips",
                        "50"));
        List<Result> results = bench.measure(4096);
        assertThat(results).extracting(result -> result.way).containsExactly(Way.POOL, Way.UNIX);
        assertThat(results.get(0).copiesPerByte()).isZero();
        assertThat(results.get(0).callsPerMessage()).isLessThan(5);
        assertThat(results.get(1).copiesPerByte()).isBetween(2.0, 2.1); // one message goes back
        for (Result result : results) {
            assertThat(result.roundTripsNs.getTotalCount()).isEqualTo(50);
            assertThat(result.fields()).containsEntry("messageBytes", 4096);
        }
    }

    @Test
    void wrongArgumentsAreTold() {
        assertThatThrownBy(() -> new SharedBench().options().parse(List.of("--size", "65")))
                .hasMessageContaining("multiples of 64");
        assertThatThrownBy(() -> new SharedBench().options().parse(List.of("--way", "pigeon")))
                .hasMessageContaining("not pigeon");
        assertThatThrownBy(() -> new SharedBench().options().parse(List.of("--rounds")))
                .hasMessageContaining("--rounds");
    }
}
