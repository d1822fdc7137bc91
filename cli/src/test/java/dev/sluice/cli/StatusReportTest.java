package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StatusReportTest {
    private static final String JSON = """
            {"broker":{"version":"1.2","uptimeMs":61000,"dataDir":"/d","flush":"os","later":[1,{"x":null}]},
             "local":{"socket":"/d/local.sock",
                      "readers":[{"process":77,"user":1000,"topic":"t","partition":1,"segment":5,"segmentBytes":2048,
                                  "isExpired":true}]},
             "problems":["The disk of /d is full"],
             "connections":{"total":{"recvfrom":{"calls":10,"errors":2,"bytes":4096},
                                     "sendto":{"calls":5,"errors":0,"bytes":100000}},
                            "open":[{"name":"127.0.0.1:5","calls":{"recvfrom":{"calls":1,"errors":0,"bytes":7}}},
                                    {"name":"127.0.0.1:6","calls":{}}]},
             "segments":{"total":{"pwrite64":{"calls":3,"errors":0,"bytes":3145728}},
                         "topics":[{"topic":"t","partition":1,"logStartOffset":5,"logEndOffset":9,"bytes":1024,
                                    "flush":"ack","highWatermark":8,"flushedOffset":8,"flushes":2,
                                    "flushedBatches":13,"flushNs":6000000,"longestFlushNs":4000000,
                                    "failure":"Flushing failed (EIO)",
                                    "segments":[{"name":"00000000000000000005.log",
                                                 "calls":{"pwrite64":{"calls":3,"errors":0,"bytes":3145728}}}]}]}}
            """;

    @Test
    void figuresAreReadWithTheMethodThatCarriedMostFirst() throws CommandFailure {
        StatusReport report = StatusReport.parse(JSON);

        assertThat(report.broker()).isEqualTo(new StatusReport.Broker("1.2", 61_000, "/d", "os"));
        assertThat(report.connectionTotal())
                .containsExactly(
                        new StatusReport.Count("sendto", 5, 0, 100_000),
                        new StatusReport.Count("recvfrom", 10, 2, 4096));
        assertThat(report.connections())
                .extracting(StatusReport.Item::name)
                .containsExactly("127.0.0.1:5", "127.0.0.1:6");
        assertThat(report.partitions()).containsExactly(new StatusReport.Partition("t", 1, 5, 9, 1024));
        assertThat(report.segments())
                .extracting(StatusReport.Item::name)
                .containsExactly("t-1/00000000000000000005.log");
    }

    @Test
    void whatIsMissingCountsAsEmpty() throws CommandFailure {
        StatusReport report = StatusReport.parse("{}");
        assertThat(report.connections()).isEmpty();
        assertThat(report.broker().version()).isEmpty();
    }

    @Test
    void tablesShowEveryFigure() throws CommandFailure {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        StatusTables.print(StatusReport.parse(JSON), new PrintStream(out, true, StandardCharsets.UTF_8));

        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("Sluice 1.2, up 1 min 1 s, data in /d, flush os")
                .contains("PROBLEM: The disk of /d is full")
                .contains("Local readers, at /d/local.sock")
                .containsPattern("t +1 +77 +1000 +5 +2048 +2.00 KiB +deleted")
                .contains("At most 2.00 KiB of deleted segments stay on the disk until their readers let go")
                .containsPattern("recvfrom +10 +2 +4096 +4.00 KiB +512 B")
                .containsPattern("127.0.0.1:5 +recvfrom +1 +0 +7 ")
                .containsPattern("127.0.0.1:6 +- ")
                .containsPattern("t +1 +5 +9 +1024 ")
                .contains("Stopped partitions\nt-1: Flushing failed (EIO)\n")
                .containsPattern("t +1 +ack +8 +8 +2 +6.5 +3.00 ms +4.00 ms")
                .containsPattern("t-1/00000000000000000005.log +pwrite64 +3 +0 +3145728 +3.00 MiB +1.00 MiB");
    }

    @Test
    void whatIsNotJsonOrOfAnotherFormIsToldInOneLine() {
        assertThatThrownBy(() -> StatusReport.parse("{\"broker\""))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("not JSON");
        assertThatThrownBy(() -> StatusReport.parse("{\"broker\":[]}"))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("an object");
        assertThatThrownBy(() -> StatusReport.parse("{\"broker\":{\"uptimeMs\":\"x\"}}"))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("a whole number");
    }
}
