package dev.sluice.cli;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.Endpoint;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice receive [HOST:]PORT FILE`: takes one file from one `sluice send`, and ends.
final class ReceiveCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Receive one file from a sluice send.",
                "FILE appears when it is whole. Whoever can connect can fill it: the bytes are neither encrypted nor authenticated.");
        spec.addPositional(Specs.parameter(
                "0", "[HOST:]PORT", "Where to listen. Default host: 127.0.0.1; port 0 takes a free one and shows it."));
        spec.addPositional(Specs.parameter("1", "FILE", "What to name it."));
        spec.addOption(TransferSpecs.force());
        Specs.example(spec, "sluice receive 0.0.0.0:7000 big.iso");
        Specs.exitCodes(spec, TransferSpecs.exitCodes("received"));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure, ErrnoException {
        InetSocketAddress address = TransferSpecs.listenAddress(parsed.matchedPositionalValue(0, ""));
        Path target = Path.of(parsed.matchedPositionalValue(1, "")).toAbsolutePath();
        PartFile.refuse(target, TransferSpecs.isForced(parsed));
        Kernel kernel = new Kernel();
        Moving moving = new Moving(surroundings);
        try (Descriptor socket = accept(kernel, address, surroundings)) {
            kernel.sockets().setTimeout(socket, false, Moving.IDLE_TIMEOUT_NS);
            FileWire.Offer offer = FileWire.awaitOffer(kernel, socket);
            try (PartFile part = PartFile.open(
                    kernel, target, offer.lengthBytes(), offer.changedNs(), TransferSpecs.isForced(parsed))) {
                long present = part.presentBytes();
                FileWire.tell(kernel, socket, present);
                moving.transfer(
                        kernel,
                        "received",
                        new Endpoint.Socket(socket),
                        part.end(),
                        present,
                        offer.lengthBytes() - present,
                        "receive again under the same name to go on");
                part.complete();
                FileWire.tell(kernel, socket, offer.lengthBytes());
            }
        }
        return ExitCode.OK;
    }

    private static Descriptor accept(Kernel kernel, InetSocketAddress address, Surroundings surroundings)
            throws CommandFailure, ErrnoException {
        Sockets sockets = kernel.sockets();
        try (Descriptor listener =
                sockets.stream(address, true, kernel.account()).orThrow()) {
            sockets.setOption(listener, Sockets.SOL_SOCKET, Sockets.SO_REUSEADDR, 1);
            try {
                ErrnoException.check(sockets.bind(listener, address), Call.BIND, Sockets.show(address));
                ErrnoException.check(sockets.listen(listener, 1), Call.LISTEN, Sockets.show(address));
            } catch (ErrnoException e) {
                throw TransferSpecs.cannotListen(address, e);
            }
            surroundings.err().println("listens on " + Sockets.show(sockets.localAddress(listener)));
            return sockets.accept(listener, true, kernel.account()).orThrow();
        }
    }
}
