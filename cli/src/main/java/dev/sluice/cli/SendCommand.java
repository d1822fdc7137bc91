package dev.sluice.cli;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice send FILE HOST:PORT`, to a `sluice receive`.
final class SendCommand implements Command {
    private static final long CONNECT_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(10);

    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Send a file to a sluice receive.",
                "What the receiver has of this very file already isn't sent again. The bytes are neither encrypted nor authenticated.");
        spec.addPositional(Specs.parameter("0", "FILE", "The file to send."));
        spec.addPositional(Specs.parameter("1", "HOST:PORT", "Where sluice receive listens."));
        Specs.example(spec, "sluice send big.iso backup.example:7000");
        Specs.exitCodes(spec, TransferSpecs.exitCodes("sent; the receiver has all of it under its name"));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure, ErrnoException {
        Path file = Path.of(parsed.matchedPositionalValue(0, ""));
        HostPort to = HostPort.parseList(parsed.matchedPositionalValue(1, "")).getFirst();
        InetSocketAddress address = new InetSocketAddress(to.host(), to.port());
        if (address.isUnresolved()) {
            throw CommandFailure.failed("no such host: " + to.host());
        }
        Kernel kernel = new Kernel();
        Moving moving = new Moving(surroundings);
        try (Endpoint.File source = TransferSpecs.openSource(kernel, file);
                Endpoint.Socket peer = connect(kernel, address, to)) {
            Descriptor socket = peer.descriptor();
            kernel.sockets().setTimeout(socket, false, Moving.IDLE_TIMEOUT_NS);
            long length = kernel.files().status(source.descriptor()).sizeBytes();
            FileWire.offer(kernel, socket, new FileWire.Offer(length, TransferSpecs.changedNs(file)));
            long present = FileWire.awaitTold(kernel, socket, length);
            moving.transfer(
                    kernel,
                    "sent",
                    new Endpoint.File(source.descriptor(), present),
                    peer,
                    present,
                    length - present,
                    "the receiver keeps what it has; send again to go on");
            if (FileWire.awaitTold(kernel, socket, length) != length) {
                throw CommandFailure.failed(to + " didn't get all of it");
            }
        }
        return ExitCode.OK;
    }

    private static Endpoint.Socket connect(Kernel kernel, InetSocketAddress address, HostPort to)
            throws CommandFailure, ErrnoException {
        try {
            return Endpoint.connect(kernel, address, true, CONNECT_TIMEOUT_NS, kernel.account());
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ECONNREFUSED) {
                throw CommandFailure.failed(
                        "nobody listens on " + to + "; start there first: sluice receive [HOST:]" + to.port() + " FILE",
                        e);
            }
            throw e;
        }
    }
}
