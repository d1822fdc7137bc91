package dev.sluice.netty;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.transfer.Hold;
import io.netty.channel.FileRegion;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;

/// A file that regions are cut from, opened once for all of them.
///
/// Netty's native code takes a region's descriptor out of the JDK's FileChannel. So the file is opened a second time,
/// by /proc/self/fd, which finds it after it was renamed or unlinked too: an open and a close, a few microseconds. Who
/// sends many spans of a file keeps one of these; [SpanRegion#of] makes one for a single span.
///
/// Thread-safe. Close it when you want no more regions; the descriptor goes with the last of them.
public final class SpanFile implements AutoCloseable {
    private final String name;
    private final FileChannel channel;
    private final AtomicInteger references = new AtomicInteger(1);
    private final AtomicInteger ownerClosed = new AtomicInteger();

    private SpanFile(String name, FileChannel channel) {
        this.name = name;
        this.channel = channel;
    }

    /// @param file readable; borrowed for this call
    /// @throws IOException when it can't be opened again: because this user may not open it, or without /proc
    public static SpanFile of(Descriptor file) throws IOException {
        if (!file.isOpen()) {
            throw new IOException(file.name() + " was closed");
        }
        Path again = Path.of("/proc/self/fd", Integer.toString(file.number()));
        return new SpanFile(file.name(), FileChannel.open(again, StandardOpenOption.READ));
    }

    /// A range of the file, to be written to a channel once.
    ///
    /// @param hold released when the region is
    /// @throws IllegalStateException when this file was closed
    public SpanRegion region(long position, long lengthBytes, Hold hold) {
        retain();
        return new SpanRegion(this, channel, position, lengthBytes, hold);
    }

    /// A range of the file whose bytes Netty reads into memory of its own.
    FileRegion copied(long position, long lengthBytes, Hold hold) {
        retain();
        return new CopiedRegion(this, channel, position, lengthBytes, hold);
    }

    String name() {
        return name;
    }

    private void retain() {
        int count = references.get();
        while (ownerClosed.get() == 0 && count > 0) {
            int witness = references.compareAndExchange(count, count + 1);
            if (witness == count) {
                return;
            }
            count = witness;
        }
        throw new IllegalStateException("The span file of " + name + " was closed");
    }

    void release() {
        if (references.decrementAndGet() == 0) {
            try {
                channel.close();
            } catch (IOException e) {
                // Nothing was written to it, and Linux frees the number whatever close answers.
            }
        }
    }

    /// No more regions; those that there are keep the file open.
    @Override
    public void close() {
        if (ownerClosed.compareAndSet(0, 1)) {
            release();
        }
    }
}
