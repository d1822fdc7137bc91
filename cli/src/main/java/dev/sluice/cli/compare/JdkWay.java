package dev.sluice.cli.compare;

import dev.sluice.io.transfer.CopyModel;
import dev.sluice.io.transfer.CopyModel.Circumstances;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Figure.Derived;
import dev.sluice.io.transfer.Method;
import dev.sluice.io.transfer.NetworkPath;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/// What the JDK itself offers, with blocking channels and streams, as a careful programmer would write it: one buffer,
/// used again and again.
///
/// How many system calls an invocation makes can't be asked for from inside, so it is derived: the invocations are
/// counted, and what each
/// one makes was seen with strace on JDK 25.
record JdkWay(Direction direction, Kind kind) implements Way {
    /// Files larger than this aren't copied whole for a comparison.
    static final long LARGEST_WHOLE_BYTES = 2L << 30;

    private static final String SEEN = ", invocations counted, calls of each as seen with strace on JDK 25";

    /// By which classes.
    enum Kind {
        HEAP("heap buffer"),
        DIRECT("direct buffer"),
        MAPPED("mapped buffer"),
        TRANSFER_TO("FileChannel.transferTo"),
        TRANSFER_FROM("FileChannel.transferFrom"),
        FILES_COPY("Files.copy"),
        STREAMS("streams");

        private final String label;

        Kind(String label) {
            this.label = label;
        }
    }

    static List<Way> all(Direction direction) {
        List<Way> ways = new ArrayList<>();
        if (direction == Direction.FILE_TO_MEMORY || direction == Direction.MEMORY_TO_FILE) {
            return ways;
        }
        for (Kind kind : Kind.values()) {
            boolean serves = switch (kind) {
                case TRANSFER_TO -> direction != Direction.SOCKET_TO_FILE;
                case TRANSFER_FROM -> direction == Direction.SOCKET_TO_FILE;
                case FILES_COPY -> direction == Direction.FILE_TO_FILE;
                default -> true;
            };
            if (serves) {
                ways.add(new JdkWay(direction, kind));
            }
        }
        return ways;
    }

    @Override
    public Family family() {
        return Family.JDK;
    }

    @Override
    public String name() {
        return kind.label;
    }

    @Override
    public boolean hasPieces() {
        return kind != Kind.FILES_COPY && kind != Kind.TRANSFER_FROM;
    }

    @Override
    public boolean isSwept() {
        return direction == Direction.FILE_TO_SOCKET && (kind == Kind.DIRECT || kind == Kind.TRANSFER_TO);
    }

    @Override
    public boolean movesWholeFiles() {
        return kind == Kind.FILES_COPY;
    }

    @Override
    public Cost move(Job job, Meter meter) throws IOException {
        double calls = switch (kind) {
            case HEAP -> throughBuffer(job, meter, ByteBuffer.allocate(job.pieceBytes()));
            case DIRECT -> throughBuffer(job, meter, ByteBuffer.allocateDirect(job.pieceBytes()));
            case MAPPED -> direction == Direction.SOCKET_TO_FILE ? intoMap(job, meter) : fromMap(job, meter);
            case TRANSFER_TO -> transferTo(job, meter);
            case TRANSFER_FROM -> transferFrom(job, meter);
            case FILES_COPY -> filesCopy(job, meter);
            case STREAMS -> streams(job, meter);
        };
        return cost(calls, job);
    }

    private static FileChannel source(Job job) throws IOException {
        return FileChannel.open(job.source(), StandardOpenOption.READ).position(job.position());
    }

    private static FileChannel sink(Job job) throws IOException {
        return FileChannel.open(job.sink(), StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private double throughBuffer(Job job, Meter meter, ByteBuffer buffer) throws IOException {
        try (ReadableByteChannel from =
                        direction == Direction.SOCKET_TO_FILE ? SocketChannel.open(job.peer()) : source(job);
                WritableByteChannel to =
                        direction == Direction.FILE_TO_SOCKET ? SocketChannel.open(job.peer()) : sink(job)) {
            long calls = 0;
            meter.start();
            for (long left = job.lengthBytes(); left > 0; ) {
                buffer.clear().limit((int) Math.min(buffer.capacity(), left));
                int n = from.read(buffer);
                ended(n);
                left -= n;
                calls++;
                buffer.flip();
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                    calls++;
                }
            }
            meter.stop();
            return calls;
        }
    }

    private double fromMap(Job job, Meter meter) throws IOException {
        try (Arena arena = Arena.ofConfined();
                FileChannel from = source(job);
                WritableByteChannel to =
                        direction == Direction.FILE_TO_SOCKET ? SocketChannel.open(job.peer()) : sink(job)) {
            meter.start();
            ByteBuffer map = from.map(FileChannel.MapMode.READ_ONLY, job.position(), job.lengthBytes(), arena)
                    .asByteBuffer();
            long calls = 1; // mmap; munmap comes after the measurement, as it would after a garbage collection
            while (map.position() < job.lengthBytes()) {
                map.limit((int) Math.min(job.lengthBytes(), (long) map.position() + job.pieceBytes()));
                to.write(map);
                calls++;
            }
            meter.stop();
            return calls;
        }
    }

    private static double intoMap(Job job, Meter meter) throws IOException {
        try (Arena arena = Arena.ofConfined();
                SocketChannel from = SocketChannel.open(job.peer());
                FileChannel to = sink(job)) {
            meter.start();
            ByteBuffer map = to.map(FileChannel.MapMode.READ_WRITE, 0, job.lengthBytes(), arena)
                    .asByteBuffer();
            long calls = 2; // ftruncate to the length, mmap
            while (map.position() < job.lengthBytes()) {
                map.limit((int) Math.min(job.lengthBytes(), (long) map.position() + job.pieceBytes()));
                ended(from.read(map));
                calls++;
            }
            meter.stop();
            return calls;
        }
    }

    private double transferTo(Job job, Meter meter) throws IOException {
        try (FileChannel from = source(job);
                WritableByteChannel to =
                        direction == Direction.FILE_TO_SOCKET ? SocketChannel.open(job.peer()) : sink(job)) {
            // Each asks for the size first (fstat). To a socket a copy_file_range that fails comes before each
            // sendfile; to a file copy_file_range does it.
            int callsEach = direction == Direction.FILE_TO_SOCKET ? 3 : 2;
            long calls = 0;
            meter.start();
            for (long done = 0; done < job.lengthBytes(); ) {
                long n = from.transferTo(
                        job.position() + done, Math.min(job.pieceBytes(), job.lengthBytes() - done), to);
                ended(n == 0 ? -1 : n);
                done += n;
                calls += callsEach;
            }
            meter.stop();
            return calls;
        }
    }

    private static double transferFrom(Job job, Meter meter) throws IOException {
        try (SocketChannel from = SocketChannel.open(job.peer());
                FileChannel to = sink(job)) {
            meter.start();
            for (long done = 0; done < job.lengthBytes(); ) {
                long n = to.transferFrom(from, done, job.lengthBytes() - done);
                ended(n == 0 ? -1 : n);
                done += n;
            }
            meter.stop();
            return 2.0 * job.lengthBytes() / (8 << 10); // a read and a pwrite for each 8 KiB
        }
    }

    private static double filesCopy(Job job, Meter meter) throws IOException {
        meter.start();
        Files.copy(job.source(), job.sink(), StandardCopyOption.REPLACE_EXISTING);
        meter.stop();
        return 2; // copy_file_range for up to 2 GiB, and the one that finds the end
    }

    private double streams(Job job, Meter meter) throws IOException {
        byte[] buffer = new byte[job.pieceBytes()];
        try (Closing closing = new Closing()) {
            InputStream in;
            OutputStream out;
            if (direction == Direction.SOCKET_TO_FILE) {
                in = closing.add(new Socket(job.peer().getAddress(), job.peer().getPort()))
                        .getInputStream();
            } else {
                FileInputStream file =
                        closing.add(new FileInputStream(job.source().toFile()));
                file.skipNBytes(job.position());
                in = file;
            }
            if (direction == Direction.FILE_TO_SOCKET) {
                out = closing.add(new Socket(job.peer().getAddress(), job.peer().getPort()))
                        .getOutputStream();
            } else {
                out = closing.add(new FileOutputStream(job.sink().toFile()));
            }
            double calls = 0;
            meter.start();
            for (long left = job.lengthBytes(); left > 0; ) {
                int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
                ended(n);
                out.write(buffer, 0, n);
                left -= n;
                calls += streamCalls(n);
            }
            meter.stop();
            return calls;
        }
    }

    /// A read of a stream is one call; a socket's stream writes at most 128 KiB a call.
    private double streamCalls(int bytes) {
        int most = direction == Direction.FILE_TO_SOCKET ? 128 << 10 : Integer.MAX_VALUE;
        return 1 + Math.ceilDiv(bytes, most);
    }

    private static void ended(long n) throws EOFException {
        if (n < 0) {
            throw new EOFException("the source ended too early");
        }
    }

    private Cost cost(double calls, Job job) {
        List<Hop> hops = CopyModel.hops(like(), circumstances(job));
        boolean throughHeap = kind == Kind.HEAP || kind == Kind.STREAMS;
        boolean intoMap = kind == Kind.MAPPED && direction == Direction.SOCKET_TO_FILE;
        String basis = "CopyModel of " + like().label()
                + (throughHeap ? ", and one from native memory to the heap and one back" : "")
                + (intoMap ? ", and write-back of the mapped pages" : "");
        return new Cost(
                new Derived("system calls", calls, "calls", kind.label + SEEN),
                new Derived("mode switches", 2 * calls, "switches", "two for each system call"),
                new Derived("CPU copies", CopyModel.cpuCopies(hops) + (throughHeap ? 2 : 0), "copies/byte", basis),
                new Derived("DMA copies", CopyModel.dmaCopies(hops) + (intoMap ? 1 : 0), "copies/byte", basis),
                "");
    }

    /// The method of the library that makes the same kernel calls.
    private Method like() {
        return switch (kind) {
            case HEAP, DIRECT, TRANSFER_FROM, STREAMS -> Method.READ_WRITE;
            case MAPPED -> direction == Direction.SOCKET_TO_FILE ? Method.READ : Method.MMAP_WRITE;
            case TRANSFER_TO -> direction == Direction.FILE_TO_SOCKET ? Method.SENDFILE : Method.COPY_FILE_RANGE;
            case FILES_COPY -> Method.COPY_FILE_RANGE;
        };
    }

    private Circumstances circumstances(Job job) {
        boolean intoMap = like() == Method.READ;
        return new Circumstances(
                direction == Direction.SOCKET_TO_FILE ? Endpoint.Kind.SOCKET : Endpoint.Kind.FILE,
                intoMap
                        ? Endpoint.Kind.MEMORY
                        : direction == Direction.FILE_TO_SOCKET ? Endpoint.Kind.SOCKET : Endpoint.Kind.FILE,
                job.cachedShare(),
                direction == Direction.SOCKET_TO_FILE ? job.path() : NetworkPath.UNKNOWN,
                direction == Direction.FILE_TO_SOCKET ? job.path() : NetworkPath.UNKNOWN,
                0,
                1);
    }

    /// Closes what was added, last first.
    private static final class Closing implements AutoCloseable {
        private final List<java.io.Closeable> open = new ArrayList<>();

        <T extends java.io.Closeable> T add(T one) {
            open.add(one);
            return one;
        }

        @Override
        public void close() throws IOException {
            for (java.io.Closeable one : open.reversed()) {
                one.close();
            }
        }
    }
}
