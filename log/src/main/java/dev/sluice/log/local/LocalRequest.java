package dev.sluice.log.local;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// What a local reader says to the broker: one message of a SOCK_SEQPACKET socket each, little-endian.
///
/// ```
/// HELLO  0 i16 1   2 i16 0            4 i32 magic      8 i32 version                    12 bytes
/// OPEN   0 i16 2   2 i16 name bytes   4 i32 partition  8 i64 offset   16 topic's name   16 + name bytes
/// NEXT   0 i16 3   2 i16 slot         4 i32 0          8 i64 offset                     16 bytes
/// CLOSE  0 i16 4   2 i16 slot                                                           4 bytes
/// ```
public sealed interface LocalRequest {
    /// `SLOG`, read as a number.
    int MAGIC = 0x474F4C53;
    /// Both sides have the same, or do not speak.
    int VERSION = 1;
    /// Longer ones are not read.
    int MAX_BYTES = 512;
    /// In the place of an offset: behind the newest record.
    long END = -1;
    /// In the place of an offset: at the oldest record.
    long BEGINNING = -2;

    /// The first message.
    record Hello(int magic, int version) implements LocalRequest {}

    /// Asks for a partition.
    ///
    /// @param offset of the first record wanted, or [#END], or [#BEGINNING]
    record Open(String topic, int partition, long offset) implements LocalRequest {}

    /// Asks for the segment to go on in, and lets go of the one before.
    record Next(int slot, long offset) implements LocalRequest {}

    /// Asks for no more of a partition.
    record Close(int slot) implements LocalRequest {}

    /// Its bytes as they go over the socket, little-endian, ready to be read.
    default ByteBuffer encode() {
        ByteBuffer out = ByteBuffer.allocate(MAX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        switch (this) {
            case Hello hello ->
                out.putShort((short) 1).putShort((short) 0).putInt(hello.magic).putInt(hello.version);
            case Open open -> {
                byte[] name = open.topic.getBytes(StandardCharsets.UTF_8);
                if (name.length > MAX_BYTES - 16) {
                    throw new IllegalArgumentException("A topic's name has at most 249 characters: " + open.topic);
                }
                out.putShort((short) 2)
                        .putShort((short) name.length)
                        .putInt(open.partition)
                        .putLong(open.offset)
                        .put(name);
            }
            case Next next ->
                out.putShort((short) 3).putShort((short) next.slot).putInt(0).putLong(next.offset);
            case Close close -> out.putShort((short) 4).putShort((short) close.slot);
        }
        return out.flip();
    }

    /// What a message says; its sender is not trusted.
    ///
    /// @return null when it says nothing that is known
    static @Nullable LocalRequest parse(ByteBuffer message) {
        ByteBuffer in = message.order(ByteOrder.LITTLE_ENDIAN);
        if (in.remaining() < 4) {
            return null;
        }
        short type = in.getShort();
        int second = Short.toUnsignedInt(in.getShort());
        return switch (type) {
            case 1 -> in.remaining() == 8 ? new Hello(in.getInt(), in.getInt()) : null;
            case 2 -> {
                if (in.remaining() != 12 + second) {
                    yield null;
                }
                int partition = in.getInt();
                long offset = in.getLong();
                byte[] name = new byte[second];
                in.get(name);
                yield new Open(new String(name, StandardCharsets.UTF_8), partition, offset);
            }
            case 3 -> in.remaining() == 12 && in.getInt() == 0 ? new Next(second, in.getLong()) : null;
            case 4 -> in.hasRemaining() ? null : new Close(second);
            default -> null;
        };
    }
}
