package dev.sluice.cli;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice copy SRC DST`.
final class CopyCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Copy a file by the cheapest way there is.",
                "Shares extents where the file system can. DST appears when it is whole; what was copied before a stop is gone on from by the"
                        + " same command.");
        spec.addPositional(Specs.parameter("0", "SRC", "The file to copy."));
        spec.addPositional(Specs.parameter("1", "DST", "Its new name, or a folder."));
        spec.addOption(TransferSpecs.force());
        Specs.example(spec, "sluice copy big.iso /mnt/backup/");
        Specs.exitCodes(spec, TransferSpecs.exitCodes("copied"));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure, ErrnoException {
        Path source = Path.of(parsed.matchedPositionalValue(0, ""));
        Path target = TransferSpecs.target(source, Path.of(parsed.matchedPositionalValue(1, "")));
        Kernel kernel = new Kernel();
        Moving moving = new Moving(surroundings);
        try (Endpoint.File from = TransferSpecs.openSource(kernel, source)) {
            FileStatus status = kernel.files().status(from.descriptor());
            long changedNs = TransferSpecs.changedNs(source);
            try (PartFile part =
                    PartFile.open(kernel, target, status.sizeBytes(), changedNs, TransferSpecs.isForced(parsed))) {
                long present = part.presentBytes();
                moving.transfer(
                        kernel,
                        "copied",
                        new Endpoint.File(from.descriptor(), present),
                        part.end(),
                        present,
                        status.sizeBytes() - present,
                        "the same command goes on from there");
                part.complete();
            }
        }
        return ExitCode.OK;
    }
}
