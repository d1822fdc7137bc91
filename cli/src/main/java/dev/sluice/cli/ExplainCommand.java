package dev.sluice.cli;

import dev.sluice.cli.explain.Explainer;
import dev.sluice.cli.explain.Explanation;
import dev.sluice.cli.explain.Subject;
import dev.sluice.cli.explain.SvgPicture;
import dev.sluice.cli.explain.TerminalPicture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice explain METHOD FILE`: one transfer, traced and drawn.
final class ExplainCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Draw what one transfer does: who copies what, where the modes switch.",
                "Moves FILE once by METHOD, over loopback or into a copy that is deleted again, checks every byte, and draws the way of a byte"
                        + " with this run's own figures.");
        spec.addPositional(Specs.parameter("0", "METHOD", "One of " + Subject.names() + "."));
        spec.addPositional(Specs.parameter("1", "FILE", "What to move; it is only read."));
        spec.addOption(Specs.text("--svg", "OUT", "Write the picture to this file, too."));
        spec.addOption(Specs.flag("--cold", "Throw the file out of the page cache before."));
        spec.addOption(Specs.text(
                "--dir", "DIR", "Where a copy is written to, and deleted again. Default: the folder of FILE."));
        Specs.example(spec, "sluice explain sendfile big.iso --svg sendfile.svg");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "moved, checked and drawn"),
                        Map.entry("1", "the file or folder can't be used, or the method isn't possible here"),
                        Map.entry("2", "bad arguments"),
                        Map.entry("130", "ended by Ctrl-C; nothing is left behind")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        String name = parsed.matchedPositionalValue(0, "");
        Optional<Subject> subject = Subject.named(name);
        if (subject.isEmpty()) {
            throw CommandFailure.usage("'" + name + "' is no method; there are " + Subject.names());
        }
        Path file = Path.of(parsed.matchedPositionalValue(1, ""));
        String dir = parsed.matchedOptionValue("--dir", "");
        Path folder = dir.isEmpty() ? file.toAbsolutePath().resolveSibling("") : Path.of(dir);
        CompareCommand.usable(file, folder);
        String svg = parsed.matchedOptionValue("--svg", "");
        if (!svg.isEmpty()) {
            OutputFile.require("--svg", svg);
        }
        try {
            Explanation told =
                    Explainer.explain(subject.get(), file, folder, parsed.matchedOptionValue("--cold", false));
            surroundings.out().print(TerminalPicture.of(told));
            if (!svg.isEmpty()) {
                SvgPicture.write(told, Path.of(svg));
            }
        } catch (IOException e) {
            throw CommandFailure.failed(
                    e instanceof java.nio.file.FileSystemException ? e.toString() : String.valueOf(e.getMessage()), e);
        }
        return ExitCode.OK;
    }
}
