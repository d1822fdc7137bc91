package dev.sluice.cli;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// What `sluice send` and `sluice receive` tell each other around a file's bytes. Numbers are big-endian.
///
/// ```
///   sender → receiver   i64 magic, i64 length in bytes, i64 time of the last change in ns
///   receiver → sender   i64 how many bytes it has already
///   sender → receiver   the rest
///   receiver → sender   i64 length: the file is whole and has its name
/// ```
///
/// A length told in advance is what makes a peer that was killed (its kernel ends the stream in order) different from a
/// file's end.
final class FileWire {
    /// `sluice`, version 1, 0.
    private static final long MAGIC = 0x736c756963650100L;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private FileWire() {}

    /// What a sender has.
    record Offer(long lengthBytes, long changedNs) {}

    static void offer(Kernel kernel, Descriptor socket, Offer offer) throws CommandFailure, ErrnoException {
        send(kernel, socket, MAGIC, offer.lengthBytes(), offer.changedNs());
    }

    static Offer awaitOffer(Kernel kernel, Descriptor socket) throws CommandFailure, ErrnoException {
        long[] words = receive(kernel, socket, 3);
        if (words[0] != MAGIC || words[1] < 0) {
            throw CommandFailure.failed(socket.name() + " doesn't speak as sluice send does");
        }
        return new Offer(words[1], words[2]);
    }

    static void tell(Kernel kernel, Descriptor socket, long bytes) throws CommandFailure, ErrnoException {
        send(kernel, socket, bytes);
    }

    static long awaitTold(Kernel kernel, Descriptor socket, long most) throws CommandFailure, ErrnoException {
        long told = receive(kernel, socket, 1)[0];
        if (told < 0 || told > most) {
            throw CommandFailure.failed(socket.name() + " doesn't speak as sluice receive does");
        }
        return told;
    }

    private static void send(Kernel kernel, Descriptor socket, long... words) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(words.length * 8L);
            for (int i = 0; i < words.length; i++) {
                bytes.set(LONG, i * 8L, words[i]);
            }
            for (long done = 0; done < bytes.byteSize(); ) {
                long n = kernel.sockets().send(socket, bytes.asSlice(done), Sockets.MSG_NOSIGNAL);
                if (n != -Errno.EINTR) {
                    done += ErrnoException.check(n, Call.SEND, socket.name());
                }
            }
        }
    }

    private static long[] receive(Kernel kernel, Descriptor socket, int count) throws CommandFailure, ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(count * 8L);
            for (long done = 0; done < bytes.byteSize(); ) {
                long n = kernel.sockets().recv(socket, bytes.asSlice(done), 0);
                if (n == 0) {
                    throw CommandFailure.failed(
                            socket.name() + " closed the connection; it has failed, or is no sluice on the other side");
                }
                if (n == -Errno.EAGAIN) {
                    throw CommandFailure.failed(socket.name() + " keeps silent; is it sluice at the other side?");
                }
                if (n != -Errno.EINTR) {
                    done += ErrnoException.check(n, Call.RECV, socket.name());
                }
            }
            long[] words = new long[count];
            for (int i = 0; i < count; i++) {
                words[i] = bytes.get(LONG, i * 8L);
            }
            return words;
        }
    }
}
