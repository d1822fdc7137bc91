package dev.sluice.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/// A [StatusReport] as tables for people.
final class StatusTables {
    private StatusTables() {}

    static void print(StatusReport report, PrintStream out) {
        StatusReport.Broker broker = report.broker();
        out.println("Sluice " + broker.version() + ", up "
                + HumanFormat.duration(Duration.ofMillis(broker.uptimeMs())) + ", data in " + broker.dataDir()
                + ", flush " + broker.flush());
        report.problems().forEach(problem -> out.println("PROBLEM: " + problem));
        failures(report.durability(), out);
        section("Connections, since the start", "method", report.connectionTotal(), out);
        items("Open connections", "connection", report.connections(), out);
        section("Segments, since the start", "method", report.segmentTotal(), out);
        partitions(report.partitions(), out);
        flushes(report.durability(), out);
        localReaders(report.local(), out);
        items("Segments in use", "segment", report.segments(), out);
    }

    private static void section(String title, String name, List<StatusReport.Count> counts, PrintStream out) {
        out.println();
        out.println(title);
        TextTable table = new TextTable(1, name, "calls", "errors", "bytes", "", "bytes/call");
        for (StatusReport.Count count : counts) {
            table.row(count.call(), count.calls(), count.errors(), count.bytes(), size(count.bytes()), perCall(count));
        }
        table.print(out);
    }

    private static void partitions(List<StatusReport.Partition> partitions, PrintStream out) {
        out.println();
        out.println("Partitions");
        TextTable table = new TextTable(1, "topic", "partition", "first offset", "end offset", "bytes", "");
        for (StatusReport.Partition partition : partitions) {
            table.row(
                    partition.topic(),
                    partition.partition(),
                    partition.logStartOffset(),
                    partition.logEndOffset(),
                    partition.bytes(),
                    size(partition.bytes()));
        }
        table.print(out);
    }

    private static void localReaders(StatusReport.Local local, PrintStream out) {
        if (local.readers().isEmpty()) {
            return;
        }
        out.println();
        out.println("Local readers, at " + local.socket());
        TextTable table = new TextTable(1, "topic", "partition", "process", "user", "holds segment", "bytes", "", "");
        long expired = 0;
        for (StatusReport.LocalReader reader : local.readers()) {
            expired += reader.isExpired() ? reader.segmentBytes() : 0;
            table.row(
                    reader.topic(),
                    reader.partition(),
                    reader.process(),
                    reader.user(),
                    reader.segment(),
                    reader.segmentBytes(),
                    size(reader.segmentBytes()),
                    reader.isExpired() ? "deleted" : "");
        }
        table.print(out);
        if (expired > 0) {
            out.println("At most " + HumanFormat.bytes(expired)
                    + " of deleted segments stay on the disk until their readers let go");
        }
    }

    private static void failures(List<StatusReport.Durability> durability, PrintStream out) {
        List<StatusReport.Durability> failed = durability.stream()
                .filter(partition -> !partition.failure().isEmpty())
                .toList();
        if (!failed.isEmpty()) {
            out.println();
            out.println("Stopped partitions");
            failed.forEach(partition ->
                    out.println(partition.topic() + "-" + partition.partition() + ": " + partition.failure()));
        }
    }

    /// Of those that were flushed for their appends: with the policy `os` there are none.
    private static void flushes(List<StatusReport.Durability> durability, PrintStream out) {
        List<StatusReport.Durability> flushed =
                durability.stream().filter(partition -> partition.flushes() > 0).toList();
        if (flushed.isEmpty()) {
            return;
        }
        out.println();
        out.println("Flushes");
        TextTable table = new TextTable(
                1,
                "topic",
                "partition",
                "policy",
                "acknowledged",
                "flushed",
                "flushes",
                "batches/flush",
                "mean",
                "longest");
        for (StatusReport.Durability partition : flushed) {
            table.row(
                    partition.topic(),
                    partition.partition(),
                    partition.flush(),
                    partition.highWatermark(),
                    partition.flushedOffset(),
                    partition.flushes(),
                    String.format(Locale.ROOT, "%.1f", (double) partition.flushedBatches() / partition.flushes()),
                    ms(partition.flushNs() / partition.flushes()),
                    ms(partition.longestFlushNs()));
        }
        table.print(out);
    }

    private static void items(String title, String name, List<StatusReport.Item> items, PrintStream out) {
        out.println();
        out.println(title);
        TextTable table = new TextTable(2, name, "method", "calls", "errors", "bytes", "", "bytes/call");
        for (StatusReport.Item item : items) {
            // The name once, on the first of its lines.
            String label = item.name();
            for (StatusReport.Count count : item.counts()) {
                table.row(
                        label,
                        count.call(),
                        count.calls(),
                        count.errors(),
                        count.bytes(),
                        size(count.bytes()),
                        perCall(count));
                label = "";
            }
            if (item.counts().isEmpty()) {
                table.row(label, "-", 0, 0, 0, "", "");
            }
        }
        table.print(out);
    }

    private static String ms(long ns) {
        return String.format(Locale.ROOT, "%.2f ms", ns / 1e6);
    }

    private static String size(long bytes) {
        return bytes == 0 ? "" : HumanFormat.bytes(bytes);
    }

    private static String perCall(StatusReport.Count count) {
        long moved = count.calls() - count.errors();
        return count.bytes() == 0 || moved <= 0 ? "" : HumanFormat.bytes((double) count.bytes() / moved);
    }
}
