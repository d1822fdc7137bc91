package dev.sluice.cli;

import dev.sluice.log.RecoveryReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// What opening the data folder found, in sentences for the first screen: nothing for a new folder, one for a clean
/// one, and everything that was cut.
final class RecoveryLines {
    /// A folder with thousands of cut partitions must not push the address off the screen; the log has them all.
    private static final int MOST_DETAILS = 10;

    private RecoveryLines() {}

    static List<String> of(RecoveryReport report) {
        List<String> lines = new ArrayList<>();
        if (!report.partitions().isEmpty()) {
            lines.add(summary(report));
        }
        List<String> details = new ArrayList<>();
        for (RecoveryReport.Partition partition : report.partitions()) {
            RecoveryReport.Cut cut = partition.cut();
            if (cut != null) {
                details.add("cut " + HumanFormat.count(cut.bytes(), "byte") + " off " + partition.name() + " ("
                        + cut.file() + " from byte " + cut.position() + ": " + cut.reason()
                        + "); it ends before offset "
                        + partition.logEndOffset());
            }
            RecoveryReport.Skip skip = partition.skip();
            if (skip != null) {
                details.add(partition.name() + " goes on at offset " + skip.toOffset() + ", epoch " + skip.leaderEpoch()
                        + ": those from " + skip.fromOffset()
                        + " on may have been seen by somebody, and are given to no other record");
            }
            partition.warnings().forEach(warning -> details.add(partition.name() + ": " + warning));
        }
        details.addAll(report.warnings());
        lines.addAll(details.subList(0, Math.min(MOST_DETAILS, details.size())));
        if (details.size() > MOST_DETAILS) {
            lines.add("and " + (details.size() - MOST_DETAILS) + " more of this kind");
        }
        return List.copyOf(lines);
    }

    private static String summary(RecoveryReport report) {
        String partitions = HumanFormat.count(report.partitions().size(), "partition");
        if (report.clean()) {
            return "stopped cleanly before, nothing to repair; " + partitions;
        }
        long batches = 0;
        long bytes = 0;
        for (RecoveryReport.Partition partition : report.partitions()) {
            batches += partition.batchesScanned();
            bytes += partition.bytesScanned();
        }
        String ending = report.killed()
                ? "not stopped cleanly before, but the machine ran on, so what was written is there; checked "
                : "not stopped cleanly before; checked ";
        return ending + batches + (batches == 1 ? " batch (" : " batches (")
                + HumanFormat.bytes(bytes) + ") of " + partitions + " in "
                + HumanFormat.duration(Duration.ofNanos(report.durationNs()))
                + (report.cut().isEmpty() ? ", all whole" : "");
    }
}
