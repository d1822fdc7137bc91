package dev.sluice.cli;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.seal.Sealer;
import dev.sluice.io.transfer.Cancellation;
import dev.sluice.io.transfer.Endpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.function.LongConsumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// `sluice seal SRC DST --key FILE`, and `sluice unseal`, which turns it back: a file encrypted on its way by
/// AES-256-GCM, in one pass and a fixed piece of memory.
final class SealCommand implements Command {
    private final boolean sealing;

    private SealCommand(boolean sealing) {
        this.sealing = sealing;
    }

    static SealCommand sealing() {
        return new SealCommand(true);
    }

    static SealCommand unsealing() {
        return new SealCommand(false);
    }

    @Override
    public CommandSpec spec() {
        CommandSpec spec = sealing
                ? Specs.of(
                        this,
                        "Copy a file, encrypted.",
                        "AES-256-GCM in segments, each with a tag of its own (docs/formats/sealed-stream.md). DST appears when it is whole.")
                : Specs.of(
                        this,
                        "Copy a file that seal wrote, decrypted.",
                        "DST appears when every byte has been found to be what was sealed with this key, and not before.");
        spec.addPositional(Specs.parameter("0", "SRC", sealing ? "The file to encrypt." : "The file to decrypt."));
        spec.addPositional(Specs.parameter("1", "DST", "What to name the other."));
        spec.addOption(OptionSpec.builder("--key")
                .paramLabel("FILE")
                .type(String.class)
                .required(true)
                .description(
                        "Where the key is: 32 bytes or 64 hexadecimal digits, in a file that nobody else can read.")
                .build());
        spec.addOption(TransferSpecs.force());
        Specs.example(
                spec,
                sealing
                        ? "sluice seal big.iso big.iso.sealed --key backup.key"
                        : "sluice unseal big.iso.sealed big.iso --key backup.key");
        Specs.exitCodes(spec, TransferSpecs.exitCodes(sealing ? "encrypted" : "decrypted, every byte authentic"));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure, ErrnoException {
        Path source = Path.of(parsed.matchedPositionalValue(0, ""));
        Path target = TransferSpecs.target(source, Path.of(parsed.matchedPositionalValue(1, "")));
        byte[] key = KeyFile.read(Path.of(parsed.matchedOptionValue("--key", "")));
        Kernel kernel = new Kernel();
        Moving moving = new Moving(surroundings);
        try (Endpoint.File from = TransferSpecs.openSource(kernel, source);
                PartFile part = PartFile.begin(kernel, target, TransferSpecs.isForced(parsed));
                Sealer sealer = new Sealer(kernel, key, new SecureRandom())) {
            long lengthBytes = kernel.files().status(from.descriptor()).sizeBytes();
            moving.run(
                    sealing ? "sealed" : "unsealed",
                    0,
                    lengthBytes,
                    target + " was not made",
                    (stop, delivered) -> move(sealer, from, part.end(), stop, delivered));
            part.complete();
        } finally {
            Arrays.fill(key, (byte) 0);
        }
        return ExitCode.OK;
    }

    private String move(Sealer sealer, Endpoint from, Endpoint to, Cancellation stop, LongConsumer delivered)
            throws IOException {
        sealer.cancelledBy(stop).toldTo(delivered);
        if (sealing) {
            sealer.seal(from, to);
            return "read+encrypt+write: AES-256-GCM, a key of its own for each file";
        }
        sealer.open(from, to);
        return "read+decrypt+write: AES-256-GCM, every byte authentic";
    }
}
