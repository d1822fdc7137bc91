package dev.sluice.bench.floor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Every benchmark runs, in small and in this process; its figures mean nothing here.
@Timeout(180)
class FloorBenchTest {
    @Test
    void everyBenchmarkRuns() throws Exception {
        OptionsBuilder options = new OptionsBuilder();
        options.include("dev\\.sluice\\.bench\\.floor\\..*")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(5))
                .param("batchBytes", "1024")
                .param("partitions", "2")
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT);

        Collection<RunResult> results = new Runner(options.build()).run();

        assertThat(results)
                .hasSize(9)
                .allSatisfy(result ->
                        assertThat(result.getPrimaryResult().getScore()).isPositive());
    }
}
