package dev.sluice.bench.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.bench.tools.Tools;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `bin/bench broker` and `bin/bench growth` in small: every kind of work and every curve runs against a broker, what
/// was produced is read back byte for byte, and tables, pictures and pages are made of it. No figure means anything.
@Timeout(180)
class SmokeTest {
    private static final Path SOURCES = Path.of("src", "main", "c");

    @TempDir
    Path folder;

    private Path load;
    private Peer peer;

    @BeforeEach
    void start() throws Exception {
        assumeTrue(Tools.isInstalled("gcc"), "gcc is not installed");
        load = Tools.compile(SOURCES, folder, "load");
        Path server = Files.createDirectory(folder.resolve("server"));
        peer = KafkaPeer.of(Server.start(
                "sluice",
                List.of(
                        Peer.java(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1", // it lives for seconds, and is started four times
                        "-Dslf4j.provider=" + System.getProperty("slf4j.provider"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        BrokerMain.class.getName(),
                        server.resolve("data").toString()),
                server,
                Pattern.compile("listens on 127\\.0\\.0\\.1:(\\d+)")));
    }

    @AfterEach
    void stop() throws Exception {
        if (peer != null) {
            peer.close();
        }
    }

    @Test
    void everyWorkRuns() throws Exception {
        Path limit = Tools.compile(SOURCES, folder, "limit");
        Comparison comparison = new Comparison(load, limit, folder, 2, Map.of(Subject.SLUICE, peer));
        BrokerPage page = new BrokerPage("In small.");
        for (String name : List.of("produce-64k", "produce-12", "fetch-1m", "fetch-64k")) {
            Work work = Work.of(name);
            comparison.check(work, Subject.SLUICE);
            Map<Subject, List<Run>> runs = comparison.measure(work, List.of(Subject.SLUICE, Subject.LIMIT), 0, 1);

            assertThat(runs).containsOnlyKeys(subjects(work));
            assertThat(Report.table(work, runs)).contains("| sluice | ");
            assertThat(Report.rows(work, runs)).hasSize(runs.size());
            page.add(work, runs);
        }
        page.write(folder.resolve("page.html"));
        assertThat(folder.resolve("page.html")).content().contains("<h2>fetch-1m</h2>", "<svg", "</html>");
    }

    private static Subject[] subjects(Work work) {
        return Stream.of(Subject.SLUICE, Subject.LIMIT)
                .filter(subject -> subject.does(work))
                .toArray(Subject[]::new);
    }

    @Test
    void everyCurveRuns() throws Exception {
        Comparison comparison = new Comparison(load, load, folder, 1, Map.of(Subject.SLUICE, peer));
        for (Curve curve : Curve.values()) {
            GrowthPoint point = curve == Curve.LOG_SIZE
                    ? new LogGrowth(load, peer, Subject.SLUICE, 0, 1).measure(4)
                    : GrowthPoint.of(1, comparison.several(few(curve), Subject.SLUICE, 2), new long[2]);
            GrowthReport report = new GrowthReport(curve, Map.of(Subject.SLUICE, List.of(point)));

            assertThat(report.table()).contains("| sluice | ").doesNotContain("NaN");
            assertThat(report.rows()).hasSize(1);
            if (report.draw(folder)) {
                assertThat(folder.resolve(curve.label() + ".svg")).content().contains("</svg>");
            }
        }
    }

    /// The curve's second point with a hundred requests.
    private static Work few(Curve curve) {
        Work work = curve.work(curve.points.get(1));
        return curve.point(
                work.kind(),
                work.partitions(),
                Stream.concat(
                                work.options().stream().filter(option -> !option.startsWith("requests=")),
                                Stream.of("requests=100"))
                        .toArray(String[]::new));
    }
}
