package dev.sluice.cli;

import dev.sluice.io.linux.Kernel;
import dev.sluice.log.CheckReport;
import dev.sluice.log.DirectoryCheck;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogDirectoryException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice check DIR`: verifies the data folder of a broker that is stopped.
final class CheckCommand implements Command {
    /// Something was found that the next start, or `--repair`, mends.
    static final int MENDABLE = 3;
    /// Something was found that nothing mends.
    static final int LOST = 4;

    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Verify the data folder of a stopped broker.",
                "Reads every batch with its checksum, the order of offsets, every index entry, the snapshots of producers and"
                        + " the checkpoints. One line a finding, with the file and the byte. Changes nothing unless"
                        + " --repair is given.");
        spec.addPositional(Specs.parameter("0", "DIR", "The data folder (--data, log.dirs)."));
        spec.addOption(Specs.flag(
                "--repair",
                "Mend what can be mended, as the broker's next start would, and close the folder cleanly."));
        Specs.example(spec, "sluice check /var/lib/sluice");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "nothing found, or with --repair: nothing left"),
                        Map.entry("1", "could not be checked: no data folder, or a broker holds it"),
                        Map.entry("2", "bad arguments; nothing was done"),
                        Map.entry(Integer.toString(MENDABLE), "found what the next start or --repair mends"),
                        Map.entry(Integer.toString(LOST), "found damage that nothing mends: records are lost")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        Path folder = Path.of(parsed.matchedPositionalValue(0, ""));
        if (!Files.isDirectory(folder)) {
            throw CommandFailure.failed(folder + (Files.exists(folder) ? " is no folder" : ": no such folder"));
        }
        Kernel kernel = new Kernel();
        try {
            CheckReport found = check(kernel, folder, surroundings);
            if (!parsed.matchedOptionValue("--repair", false)) {
                return exitCode(found);
            }
            if (found.clean() && found.findings().isEmpty()) {
                return ExitCode.OK; // not even the clean end is to be renewed
            }
            RecoveryLines.of(DirectoryCheck.repair(
                            kernel, folder, _ -> LogConfig.DEFAULT, InstantSource.system(), found))
                    .forEach(line -> surroundings.err().println("sluice: repaired: " + line));
            CheckReport left = check(kernel, folder, surroundings);
            return found.lost() ? LOST : exitCode(left);
        } catch (LogDirectoryException.Held e) {
            throw CommandFailure.failed("a broker holds " + folder + "; stop it, then check", e);
        } catch (LogDirectoryException.Foreign e) {
            throw CommandFailure.failed(folder + " is no data folder: no broker wrote what is in it; name another", e);
        } catch (IOException e) {
            throw CommandFailure.failed(String.valueOf(e.getMessage()), e);
        }
    }

    private static CheckReport check(Kernel kernel, Path folder, Surroundings surroundings) throws IOException {
        CheckReport report = DirectoryCheck.check(kernel, folder, _ -> LogConfig.DEFAULT, InstantSource.system());
        report.findings().forEach(finding -> print(finding, surroundings.out()));
        surroundings
                .err()
                .println("sluice: checked " + HumanFormat.count(report.partitions(), "partition") + ", "
                        + HumanFormat.count(report.segments(), "segment") + ", " + report.batches()
                        + (report.batches() == 1 ? " batch (" : " batches (") + HumanFormat.bytes(report.bytes())
                        + ") in " + HumanFormat.duration(Duration.ofNanos(report.durationNs())) + ", "
                        + (report.clean() ? "stopped cleanly" : "not stopped cleanly") + ": "
                        + (report.findings().isEmpty()
                                ? "nothing found"
                                : HumanFormat.count(report.findings().size(), "finding")));
        return report;
    }

    private static void print(CheckReport.Finding finding, PrintStream out) {
        out.println(finding.file() + (finding.position() < 0 ? "" : ": byte " + finding.position()) + ": "
                + finding.what());
    }

    private static int exitCode(CheckReport report) {
        if (report.findings().isEmpty()) {
            return ExitCode.OK;
        }
        return report.lost() ? LOST : MENDABLE;
    }
}
