package dev.sluice.cli;

import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.Endpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// What copy, send, receive, seal and unseal have in common on their command lines.
final class TransferSpecs {
    private static final int MAX_PORT = 65_535;

    private TransferSpecs() {}

    static OptionSpec force() {
        return Specs.flag("--force", "Replace a file that is there already.");
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

    /// What a copy is to be called: a folder that was named gets a file of the source's name.
    static Path target(Path source, Path named) {
        return (Files.isDirectory(named) ? named.resolve(source.getFileName()) : named).toAbsolutePath();
    }

    static long changedNs(Path file) throws CommandFailure {
        try {
            return Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS);
        } catch (IOException e) {
            throw CommandFailure.failed(file + ": " + e.getMessage(), e);
        }
    }

    /// Says why nobody can listen there, and what to do.
    static CommandFailure cannotListen(InetSocketAddress address, ErrnoException e) {
        String next = switch (e.errno()) {
            case Errno.EADDRINUSE -> "the port is in use; name another, or 0 for a free one";
            case Errno.EACCES -> "a port below 1024 needs root or CAP_NET_BIND_SERVICE; name a higher one";
            case Errno.EADDRNOTAVAIL -> "no interface of this machine has that address; use 0.0.0.0 for all";
            default -> String.valueOf(e.getMessage());
        };
        return CommandFailure.failed("can't listen on " + Sockets.show(address) + ": " + next, e);
    }

    /// Where to listen, of `[HOST:]PORT`; without a host at loopback.
    static InetSocketAddress listenAddress(String text) throws CommandFailure {
        if (text.matches("\\d{1,5}") && Integer.parseInt(text) <= MAX_PORT) {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(text));
        }
        if (text.indexOf(':') < 0) {
            throw CommandFailure.usage(
                    "'" + text + "' is not a port; write [HOST:]PORT, for example 7000 or 0.0.0.0:7000");
        }
        HostPort parsed = HostPort.parseList(text).getFirst();
        InetSocketAddress address = new InetSocketAddress(parsed.host(), parsed.port());
        if (address.isUnresolved()) {
            throw CommandFailure.failed("no such host: " + parsed.host());
        }
        return address;
    }
}
