package dev.sluice.cli;

import dev.sluice.cli.compare.Comparison;
import dev.sluice.cli.compare.HtmlReport;
import dev.sluice.cli.compare.JsonReport;
import dev.sluice.cli.compare.Over;
import dev.sluice.cli.compare.PeerServer;
import dev.sluice.cli.compare.Report;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/// `sluice compare FILE`: what moving bytes costs on this machine, by every method, beside the JDK's ways.
final class CompareCommand implements Command {
    private static final long LARGEST_PIECE_BYTES = 64 << 20;
    private static final int MOST_RUNS = 1000;
    private static final int MOST_SECONDS = 24 * 3600;

    /// Besides the three of the tables.
    private static final List<Integer> SWEPT_SIZES = List.of(1 << 10, 16 << 10, 256 << 10, 4 << 20);

    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Measure every way to move a file's bytes on this machine.",
                "Needs no broker. Sends the file, receives it, copies it, reads and writes past the page cache, by each method and by"
                        + " the JDK's own ways, checks every byte, and prints what each costs.");
        spec.addPositional(PositionalParamSpec.builder()
                .index("0")
                .arity("0..1")
                .paramLabel("FILE")
                .type(String.class)
                .description("What to move. 1 GiB is plenty; it is only read.")
                .build());
        spec.addOption(
                Specs.text(
                        "--sizes",
                        "SIZES",
                        "Most bytes a call is asked to move, with commas. Default: 4K,64K,1M, and some more for the picture of sizes."));
        spec.addOption(Specs.number("--runs", "N", "How often each is measured; the median is shown. Default: 5."));
        spec.addOption(Specs.number("--seconds", "N", "How long to take in all, roughly. Default: 60."));
        spec.addOption(Specs.flag(
                "--cold", "Measure what reads the file cold, too: thrown out of the page cache before each move."));
        spec.addOption(Specs.text(
                "--over",
                "PATH",
                "The way to the other side. loopback (default): a child process. veth: a child process in a network of"
                        + " its own, with scatter-gather on and off; as root. HOST:PORT: a compare --receive there."));
        spec.addOption(Specs.text(
                "--receive",
                "[HOST:]PORT",
                "Be the other side for comparisons of other machines, until Ctrl-C. Default host: 127.0.0.1. Neither"
                        + " encrypted nor authenticated; keeps up to 256 MiB in the folder for temporary files."));
        spec.addOption(Specs.text(
                "--dir", "DIR", "Where files are written to, and deleted again. Default: the folder of FILE."));
        spec.addOption(Specs.text("--json", "OUT", "Write all figures to this file, with how each came to be known."));
        spec.addOption(Specs.text("--html", "OUT", "Write one HTML file with pictures; it needs nothing else."));
        Specs.example(spec, "sluice compare big.iso --html big.html");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "measured; methods that this machine lacks are named"),
                        Map.entry("1", "the file or folder can't be used, or bytes arrived wrong"),
                        Map.entry("2", "bad arguments"),
                        Map.entry("130", "ended by Ctrl-C; nothing is left behind")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        if (parsed.hasMatchedOption("--receive")) {
            return receive(parsed, surroundings);
        }
        Comparison.Request request = request(parsed);
        AtomicInteger stopped = new AtomicInteger();
        surroundings.signals().onStop(exitCode -> {
            stopped.set(exitCode);
            return true;
        });
        Report report;
        try (Progress progress = surroundings.errIsTerminal()
                ? ProgressOnTerminal.startOfSteps("measuring", Comparison.moves(request))
                : Progress.NONE) {
            report = Comparison.run(request, () -> progress.advance(1), () -> stopped.get() != 0);
        } catch (CancellationException _) {
            return stopped.get();
        } catch (IOException e) {
            if (stopped.get() != 0) {
                return stopped.get(); // Ctrl-C ends the other side too, and that may be noticed first
            }
            throw CommandFailure.failed(String.valueOf(e.getMessage()), e);
        }
        CompareTable.print(report, surroundings.out());
        write(parsed, "--json", file -> JsonReport.write(report, file));
        write(parsed, "--html", file -> HtmlReport.write(report, file));
        return ExitCode.OK;
    }

    private static int receive(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        if (parsed.hasMatchedPositional(0) || parsed.hasMatchedOption("--over")) {
            throw CommandFailure.usage("--receive is the other side: it takes neither FILE nor --over");
        }
        InetSocketAddress address = TransferSpecs.listenAddress(parsed.matchedOptionValue("--receive", ""));
        try (PeerServer server = PeerServer.open(new Kernel(), address)) {
            surroundings
                    .err()
                    .println("listens on " + server.address()
                            + "; on the other machine: sluice compare FILE --over HOST:"
                            + server.address().replaceFirst(".*:", "") + "; Ctrl-C to end");
            while (true) {
                surroundings.err().println(server.serveOne());
            }
        } catch (IOException e) {
            throw CommandFailure.failed(String.valueOf(e.getMessage()), e);
        }
    }

    private static Over over(String text) throws CommandFailure {
        return switch (text) {
            case "loopback" -> new Over.Loopback();
            case "veth" -> new Over.Veth();
            default -> {
                HostPort parsed;
                try {
                    parsed = HostPort.parseList(text).getFirst();
                } catch (CommandFailure e) {
                    throw CommandFailure.usage(
                            "--over is loopback, veth or HOST:PORT of a sluice compare --receive, not '" + text + "'");
                }
                InetSocketAddress address = new InetSocketAddress(parsed.host(), parsed.port());
                if (address.isUnresolved()) {
                    throw CommandFailure.failed("no such host: " + parsed.host());
                }
                yield new Over.Remote(address);
            }
        };
    }

    private interface Writing {
        void to(Path file) throws IOException;
    }

    private static void write(ParseResult parsed, String option, Writing writing) throws CommandFailure {
        String name = parsed.matchedOptionValue(option, "");
        if (!name.isEmpty()) {
            try {
                writing.to(Path.of(name));
            } catch (IOException e) {
                throw CommandFailure.failed(name + " could not be written: " + e, e);
            }
        }
    }

    private static Comparison.Request request(ParseResult parsed) throws CommandFailure {
        if (!parsed.hasMatchedPositional(0)) {
            throw CommandFailure.usage("name a FILE to move, or be the other side with --receive");
        }
        Path file = Path.of(parsed.matchedPositionalValue(0, ""));
        Over over = over(parsed.matchedOptionValue("--over", "loopback"));
        int runs = between("--runs", parsed.matchedOptionValue("--runs", 5), MOST_RUNS);
        int seconds = between("--seconds", parsed.matchedOptionValue("--seconds", 60), MOST_SECONDS);
        List<Integer> sizes = new ArrayList<>();
        for (long size : ByteSizes.parseList("--sizes", parsed.matchedOptionValue("--sizes", "4K,64K,1M"))) {
            if (size > LARGEST_PIECE_BYTES) {
                throw CommandFailure.usage("--sizes goes up to 64M");
            }
            sizes.add((int) size);
        }
        String dir = parsed.matchedOptionValue("--dir", "");
        Path folder = dir.isEmpty() ? file.toAbsolutePath().resolveSibling("") : Path.of(dir);
        usable(file, folder);
        // Better now than after a minute.
        for (String option : List.of("--json", "--html")) {
            if (parsed.hasMatchedOption(option)) {
                OutputFile.require(option, parsed.matchedOptionValue(option, ""));
            }
        }
        return new Comparison.Request(
                file,
                folder,
                sizes,
                parsed.hasMatchedOption("--sizes") ? List.of() : SWEPT_SIZES,
                runs,
                TimeUnit.SECONDS.toNanos(seconds),
                parsed.matchedOptionValue("--cold", false),
                over);
    }

    private static int between(String option, int value, int most) throws CommandFailure {
        if (value < 1 || value > most) {
            throw CommandFailure.usage(option + " is between 1 and " + most + ", not " + value);
        }
        return value;
    }

    /// Whether a file can be moved and a folder written to.
    static void usable(Path file, Path folder) throws CommandFailure {
        try {
            if (!Files.isRegularFile(file)) {
                throw CommandFailure.failed(file + (Files.exists(file) ? ": not a regular file" : ": no such file"));
            }
            if (Files.size(file) == 0) {
                throw CommandFailure.failed(file + " is empty; there is nothing to move");
            }
        } catch (IOException e) {
            throw CommandFailure.failed(file + ": " + e.getMessage(), e);
        }
        if (!Files.isDirectory(folder) || !Files.isWritable(folder)) {
            throw CommandFailure.failed("nothing can be written to " + folder + "; name another folder with --dir");
        }
    }
}
