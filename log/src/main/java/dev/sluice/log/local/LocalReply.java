package dev.sluice.log.local;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// What the broker answers a local reader: one message each, little-endian, some with descriptors.
///
/// ```
/// WELCOME  0 i16 1   2 i16 slots    4 i32 magic   8 i32 version                     12 bytes, 2 descriptors
/// SEGMENT  0 i16 2   2 i16 slot     4 i32 1 when sealed, else 0
///          8 i64 offset   16 i64 base offset   24 i32 position   28 i32 end position
///         32 i32 segment bytes                                                      36 bytes, 1 descriptor
/// CLOSED   0 i16 3   2 i16 slot                                                     4 bytes
/// REFUSED  0 i16 4   2 i16 reason   4 i64 earliest   12 i64 latest   20 a sentence  20 + sentence bytes
/// ```
public sealed interface LocalReply {
    /// No reply is longer.
    int MAX_BYTES = 1024;

    /// Answers HELLO; with it come the page of published ends and the page to say on that one waits.
    record Welcome(int slots, int magic, int version) implements LocalReply {}

    /// Answers OPEN and NEXT; with it comes the segment's file.
    ///
    /// @param slot         the partition's place on the page of published ends
    /// @param isSealed     whether the segment ends at `endPosition` for good
    /// @param offset       where reading begins: what was asked for, or what END or BEGINNING stood for
    /// @param baseOffset   of the segment
    /// @param position     first byte of the batch with that offset
    /// @param endPosition  where its batches ended when this was said
    /// @param segmentBytes how long it may become, as it is configured now: so much to map
    record Segment(
            int slot, boolean isSealed, long offset, long baseOffset, int position, int endPosition, int segmentBytes)
            implements LocalReply {}

    /// Answers CLOSE.
    record Closed(int slot) implements LocalReply {}

    /// Answers anything. The connection ends with it where going on makes no sense.
    record Refused(LocalLogException.Reason reason, long earliest, long latest, String sentence) implements LocalReply {
        /// Where there are no offsets to tell.
        public Refused(LocalLogException.Reason reason, String sentence) {
            this(reason, 0, 0, sentence);
        }
    }

    /// Its bytes as they go over the socket, little-endian, ready to be read.
    default ByteBuffer encode() {
        ByteBuffer out = ByteBuffer.allocate(MAX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        switch (this) {
            case Welcome welcome ->
                out.putShort((short) 1)
                        .putShort((short) welcome.slots)
                        .putInt(welcome.magic)
                        .putInt(welcome.version);
            case Segment segment ->
                out.putShort((short) 2)
                        .putShort((short) segment.slot)
                        .putInt(segment.isSealed ? 1 : 0)
                        .putLong(segment.offset)
                        .putLong(segment.baseOffset)
                        .putInt(segment.position)
                        .putInt(segment.endPosition)
                        .putInt(segment.segmentBytes);
            case Closed closed -> out.putShort((short) 3).putShort((short) closed.slot);
            case Refused refused -> {
                byte[] sentence = refused.sentence.getBytes(StandardCharsets.UTF_8);
                out.putShort((short) 4)
                        .putShort((short) refused.reason.code())
                        .putLong(refused.earliest)
                        .putLong(refused.latest)
                        .put(sentence, 0, Math.min(sentence.length, out.remaining()));
            }
        }
        return out.flip();
    }

    /// @return null when it says nothing that is known
    static @Nullable LocalReply parse(ByteBuffer message) {
        ByteBuffer in = message.order(ByteOrder.LITTLE_ENDIAN);
        if (in.remaining() < 4) {
            return null;
        }
        short type = in.getShort();
        int second = Short.toUnsignedInt(in.getShort());
        return switch (type) {
            case 1 -> in.remaining() == 8 ? new Welcome(second, in.getInt(), in.getInt()) : null;
            case 2 ->
                in.remaining() == 32
                        ? new Segment(
                                second,
                                in.getInt() == 1,
                                in.getLong(),
                                in.getLong(),
                                in.getInt(),
                                in.getInt(),
                                in.getInt())
                        : null;
            case 3 -> in.hasRemaining() ? null : new Closed(second);
            case 4 -> {
                if (in.remaining() < 16) {
                    yield null;
                }
                long earliest = in.getLong();
                long latest = in.getLong();
                byte[] sentence = new byte[in.remaining()];
                in.get(sentence);
                yield new Refused(
                        LocalLogException.Reason.of(second),
                        earliest,
                        latest,
                        new String(sentence, StandardCharsets.UTF_8));
            }
            default -> null;
        };
    }
}
