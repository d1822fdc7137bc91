package dev.sluice.broker.net;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Resources;
import dev.sluice.io.transfer.SocketWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Sends one connection what has to be read from the disk, on a loop whose thread may wait for that: by sendfile(2),
/// which reads ahead by itself. Whether the disk was read is the kernel's own count for the thread.
///
/// Owned by its connection's loop.
final class ColdConsumer implements SocketWriter.WaitingSender {
    private final Kernel kernel;
    private final Resources resources;
    private final ColdReader reader;
    private final Descriptor socket;
    private final MemorySegment scratch = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
    private final MemorySegment usage = Resources.scratch(Arena.ofAuto());
    private long readNs;

    /// @param socket borrowed; by it the reader knows this consumer
    /// @param nowNs  as if the disk had been read just now
    ColdConsumer(Kernel kernel, ColdReader reader, Descriptor socket, long nowNs) {
        this.kernel = kernel;
        this.resources = kernel.resources();
        this.reader = reader;
        this.socket = socket;
        this.readNs = nowNs;
    }

    @Override
    public long send(Descriptor file, long position, long lengthBytes) {
        ColdStream stream = reader.stream(socket, file);
        long before = resources.blocksRead(usage);
        long sent = stream == null ? ColdStream.CLOSED : stream.send(socket, position, lengthBytes, scratch);
        if (stream == null || sent == ColdStream.CLOSED) { // no descriptor of its own: without reading ahead, then
            return kernel.sockets().sendfile(socket, file, position, lengthBytes, scratch);
        }
        long readBytes = (resources.blocksRead(usage) - before) * Resources.BLOCK_BYTES;
        boolean isFromDisk = readBytes > 0;
        if (sent <= 0 && !isFromDisk) {
            return sent;
        }
        if (isFromDisk) {
            readNs = System.nanoTime();
        }
        long came = Math.max(0, sent);
        boolean mayDrop = stream.sent(position, came, readBytes);
        if (mayDrop || isFromDisk) {
            boolean isShared = reader.isShared(socket, file);
            if (mayDrop) {
                stream.drop(position + came, isShared);
            }
        }
        if (came == lengthBytes) {
            stream.closeAtEnd(position + came);
        }
        return sent;
    }

    /// The disk is being read for it in another way.
    void reads() {
        readNs = System.nanoTime();
    }

    /// For how long all that it was sent was in memory already.
    long sinceReadNs() {
        return System.nanoTime() - readNs;
    }
}
