package dev.sluice.bench.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class CallCheckTest {
    @Test
    void aSummaryOfStraceIsReadWithAndWithoutErrors() {
        String summary = """
                % time     seconds  usecs/call     calls    errors syscall
                ------ ----------- ----------- --------- --------- ----------------
                 97.21    0.012345           7      1024         3 sendfile
                  2.79    0.000354           2       102           statx
                ------ ----------- ----------- --------- --------- ----------------
                100.00    0.012699           7      1126         3 total
                """;

        assertThat(CallCheck.parse(summary)).isEqualTo(Map.of("sendfile", 1024L, "statx", 102L));
    }

    @Test
    void theHarnesssOwnCallsAreLeftOut() {
        assertThat(CallCheck.lines(Map.of("sendfile", 16L), Map.of("sendfile", 16L, "poll", 1L, "recvfrom", 1L)))
                .hasSize(3)
                .allMatch(CallCheck.Line::agrees);
    }

    @Test
    void oneCallTooManyIsADisagreement() {
        assertThat(CallCheck.lines(Map.of("sendfile", 16L), Map.of("sendfile", 17L)))
                .singleElement()
                .matches(line -> !line.agrees());
    }

    @Test
    void aCallThatWasNotCountedAtAllIsADisagreement() {
        assertThat(CallCheck.lines(Map.of("sendfile", 16L), Map.of("sendfile", 16L, "copy_file_range", 16L)))
                .filteredOn(line -> line.call().equals("copy_file_range"))
                .singleElement()
                .matches(line -> !line.agrees());
    }
}
