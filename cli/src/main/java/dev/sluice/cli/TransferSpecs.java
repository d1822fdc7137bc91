package dev.sluice.cli;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/// What copy, send and receive have in common on their command lines.
final class TransferSpecs {
    private TransferSpecs() {}

    static PositionalParamSpec file(String index, String label, String description) {
        return PositionalParamSpec.builder()
                .index(index)
                .arity("1")
                .required(true)
                .paramLabel(label)
                .type(String.class)
                .description(description)
                .build();
    }

    static OptionSpec force() {
        return OptionSpec.builder("--force")
                .type(boolean.class)
                .arity("0")
                .description("Replace a file that is there already.")
                .build();
    }

    static boolean isForced(ParseResult parsed) {
        return parsed.matchedOptionValue("--force", false);
    }

    static Map<String, String> exitCodes(String done) {
        return Ordered.map(
                Map.entry("0", done),
                Map.entry("1", "failed; standard error says why and how to go on"),
                Map.entry("2", "bad arguments; nothing was done"),
                Map.entry("130", "ended by Ctrl-C; nothing has the file's name that isn't whole"));
    }

    static Endpoint.File openSource(Kernel kernel, Path file) throws CommandFailure, ErrnoException {
        if (!Files.isRegularFile(file)) {
            throw CommandFailure.failed(file + (Files.exists(file) ? ": not a regular file" : ": no such file"));
        }
        return Endpoint.openSource(kernel, file, kernel.account());
    }

    static long changedNs(Path file) throws CommandFailure {
        try {
            return Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS);
        } catch (IOException e) {
            throw CommandFailure.failed(file + ": " + e.getMessage(), e);
        }
    }
}
