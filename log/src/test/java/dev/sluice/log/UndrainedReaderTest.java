package dev.sluice.log;

import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.SocketWriter;
import dev.sluice.io.transfer.Span;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A reader that has been sent records, and takes nothing from its socket while their segments roll, expire, are
/// unlinked, and others are written: it gets what was published, byte for byte.
///
/// What lies in a socket after sendfile(2) are references to pages of the page cache. Whoever writes to such a page,
/// because a file is used again for a new segment, changes what was sent long ago. The control does just that.
@Timeout(180)
class UndrainedReaderTest {
    private static final int SEGMENT_BYTES = 1 << 20;
    private static final int BATCH_BYTES = 16 << 10;
    private static final int READ_WRITE = dev.sluice.io.linux.Files.O_RDWR;

    @TempDir
    Path temporary;

    private Folder folder;

    /// Lets segments roll and expire under a reader; answers what it got and what it should have got.
    private boolean readerGetsWhatWasPublished(SegmentWriter.Engine engine) throws IOException {
        folder = new Folder(temporary.resolve("data"));
        folder.options = new LogDirectory.Options(1, 0, engine, folder.options.ids());
        folder.config = folder.config.withSegmentBytes(SEGMENT_BYTES);
        PartitionLog log = folder.create("t", 0);
        try (Folder _ = folder;
                ServerSocketChannel server = ServerSocketChannel.open()) {
            fill(log, 3 * SEGMENT_BYTES);
            byte[] published = folder.read(log, 0, SEGMENT_BYTES);
            ByteArrayOutputStream got = new ByteArrayOutputStream();
            server.setOption(StandardSocketOptions.SO_RCVBUF, 64 << 10);
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            Kernel kernel = folder.kernel;
            Account account = Account.root("sender");
            try (Descriptor sender = kernel.sockets().stream(server.getLocalAddress(), true, account)
                            .orThrow();
                    SocketChannel reader = connect(kernel, sender, server)) {
                SocketWriter writer = new SocketWriter(kernel, sender);
                Span span = ((ReadOutcome.Found) log.read(0, SEGMENT_BYTES, true)).span();
                writer.add(span);
                assertThat(writer.flush(Long.MAX_VALUE)).isEqualTo(SocketWriter.Progress.BLOCKED);
                assertThat(writer.queuedBytes())
                        .as("sent some, and some is left")
                        .isBetween(1L, SEGMENT_BYTES - 1L);

                log.deleteBefore(log.logEndOffset());
                fill(log, 6 * SEGMENT_BYTES);
                log.deleteBefore(log.logEndOffset());
                assertThat(folder.file(log, 0, ".log")).doesNotExist();

                ByteBuffer into = ByteBuffer.allocate(SEGMENT_BYTES);
                while (got.size() < published.length) {
                    into.clear();
                    int read = reader.read(into);
                    assertThat(read).isPositive();
                    got.write(into.array(), 0, read);
                    writer.flush(Long.MAX_VALUE);
                }
            }
            account.close();
            return Arrays.equals(published, got.toByteArray());
        }
    }

    private static SocketChannel connect(Kernel kernel, Descriptor sender, ServerSocketChannel server)
            throws IOException {
        kernel.sockets().setOption(sender, Sockets.SOL_SOCKET, Sockets.SO_SNDBUF, 64 << 10);
        assertThat(kernel.sockets().connect(sender, server.getLocalAddress())).isZero();
        kernel.files().setNonBlocking(sender, true);
        return server.accept();
    }

    private static void fill(PartitionLog log, int bytes) throws IOException {
        Random random = new Random(log.logEndOffset());
        for (int written = 0; written < bytes; written += BATCH_BYTES) {
            append(log, batch().valueBytes(BATCH_BYTES - 100).seed(random.nextLong()));
        }
        log.flush(); // and so shown, whatever the flushing thread does
    }

    @Test
    void itGetsTheBytesThatWerePublished() throws IOException {
        assertThat(readerGetsWhatWasPublished(Folder.engine())).isTrue();
    }

    @Test
    void theControlRecycledSegmentsAreCaught() throws IOException {
        Recycling recycling = new Recycling();

        boolean intact = readerGetsWhatWasPublished(recycling);

        assertThat(recycling.recycled).isPositive();
        assertThat(intact).as("a reader of recycled segments").isFalse();
    }

    /// An engine as other logs have it: a file that was let go of is filled again, instead of a new one being made.
    /// The log's own new file is written too, for its readers; who else sees the old one is what counts here.
    private final class Recycling implements SegmentWriter.Engine {
        /// Second names of the segments' files, so that they outlive their unlinking; the oldest first.
        private final Deque<Path> kept = new ArrayDeque<>();
        private int recycled;

        @Override
        public SegmentWriter open(
                Kernel kernel, Descriptor file, long endBytes, long stepBytes, SegmentWriter.Progress progress)
                throws ErrnoException {
            SegmentWriter real = SegmentWriter.plain().open(kernel, file, endBytes, stepBytes, progress);
            try {
                boolean gone = !kept.isEmpty()
                        && !Files.exists(folder.path
                                .resolve("t-0")
                                .resolve(kept.getFirst().getFileName()));
                Path second = temporary.resolve(Path.of(file.name()).getFileName());
                Files.createLink(second, Path.of(file.name()));
                kept.add(second);
                if (gone) {
                    recycled++;
                    return new Both(
                            real,
                            kernel,
                            kernel.files()
                                    .open(kept.removeFirst(), READ_WRITE, 0, folder.account)
                                    .orThrow());
                }
                return real;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final class Both extends ForwardingWriter {
        private final Kernel kernel;
        private final Descriptor again;

        private Both(SegmentWriter real, Kernel kernel, Descriptor again) {
            super(real);
            this.kernel = kernel;
            this.again = again;
        }

        @Override
        public long write(MemorySegment memory, long from, long lengthBytes) {
            long position = super.write(memory, from, lengthBytes);
            kernel.files().pwriteFully(again, memory, from, lengthBytes, position);
            return position;
        }

        @Override
        public void close() {
            super.close();
            again.close();
        }
    }
}
