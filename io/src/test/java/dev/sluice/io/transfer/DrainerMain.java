package dev.sluice.io.transfer;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/// A process that listens, says on which port, and for each connection says how many right bytes came: the peer of
/// [VethTest] in another network namespace. It ends with its standard input.
public final class DrainerMain {
    private DrainerMain() {}

    /// @param arguments the address to listen on
    public static void main(String[] arguments) throws IOException {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                while (System.in.read() >= 0) {
                    // wait for the end
                }
            } catch (IOException e) {
                // as good as the end
            }
            Runtime.getRuntime().halt(0);
        });
        Kernel kernel = new Kernel();
        Account account = kernel.account();
        SocketAddress any = new InetSocketAddress(InetAddress.ofLiteral(arguments[0]), 0);
        Descriptor listener = kernel.sockets().stream(any, true, account).orThrow();
        ErrnoException.check(kernel.sockets().bind(listener, any), Call.BIND, arguments[0]);
        ErrnoException.check(kernel.sockets().listen(listener, 5), Call.LISTEN, arguments[0]);
        System.out.println(((InetSocketAddress) kernel.sockets().localAddress(listener)).getPort());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(1 << 20);
            while (true) {
                Descriptor connection =
                        kernel.sockets().accept(listener, true, account).orThrow();
                long done = 0;
                long wrong = -1;
                long n;
                while ((n = kernel.sockets().recv(connection, piece, 0)) > 0) {
                    if (wrong < 0) {
                        wrong = Pattern.mismatch(piece.asSlice(0, n), done);
                    }
                    done += n;
                }
                connection.close();
                System.out.println(wrong < 0 ? done : -1 - wrong);
            }
        }
    }
}
