package dev.sluice.bench.shared;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A connection between two processes for messages of one size, both ways. Owned by one thread.
///
/// Every way does the same work besides: the sender fills each byte of a message, the receiver looks at each.
interface Link extends AutoCloseable {
    /// Fills a message with a byte and sends it.
    void send(byte content) throws IOException;

    /// Waits for the next message and looks at all of it.
    ///
    /// @return the sum of its words
    long receive() throws IOException;

    @Override
    void close() throws IOException;

    /// What [#receive] answers for a message full of `content`.
    static long sumOf(byte content, int messageBytes) {
        return Byte.toUnsignedLong(content) * 0x0101010101010101L * (messageBytes / Long.BYTES);
    }

    static long sum(MemorySegment message) {
        long sum = 0;
        long lengthBytes = message.byteSize();
        for (long at = 0; at < lengthBytes; at += Long.BYTES) {
            sum += message.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
        }
        return sum;
    }
}
