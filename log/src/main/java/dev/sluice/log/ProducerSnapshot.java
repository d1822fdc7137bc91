package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The file `<offset>.snapshot`: a partition's producers as they were before the record of that offset. Kafka's
/// version 1, big-endian.
///
/// ```
///  0 i16 version = 1
///  2 u32 CRC-32C of byte 6 to the end
///  6 i32 number of producers, then for each of them 46 bytes:
///      0 i64 producer id        8 i16 epoch             10 i32 last sequence
///     14 i64 last offset       22 i32 offset delta      26 i64 last timestamp
///     34 i32 coordinator epoch 38 i64 first offset of the transaction under way, -1 without
/// ```
final class ProducerSnapshot {
    private static final short VERSION = 1;
    private static final int CRC_AT = 2;
    private static final int BODY_AT = 6;
    private static final int ENTRY_BYTES = 46;

    private ProducerSnapshot() {}

    /// Writes the file, and does not wait for the device: its checksum tells whether it got there.
    static void write(Kernel kernel, Path path, ProducerStates producers) throws ErrnoException {
        SmallFiles.write(kernel, path, format(producers), false);
    }

    static byte[] format(ProducerStates producers) {
        ByteBuffer out = ByteBuffer.allocate(BODY_AT + 4 + producers.size() * ENTRY_BYTES);
        out.putShort(VERSION).putInt(0).putInt(producers.size());
        for (Map.Entry<Long, ProducerState> entry : new TreeMap<>(producers.all()).entrySet()) {
            ProducerState state = entry.getValue();
            out.putLong(entry.getKey())
                    .putShort(state.epoch())
                    .putInt(state.lastSequence())
                    .putLong(state.lastOffset())
                    .putInt(state.lastOffsetDelta())
                    .putLong(state.lastTimestamp())
                    .putInt(state.coordinatorEpoch())
                    .putLong(state.transactionFirstOffset());
        }
        out.putInt(CRC_AT, crc(out.array()));
        return out.array();
    }

    private static int crc(byte[] content) {
        CRC32C crc = new CRC32C();
        crc.update(content, BODY_AT, content.length - BODY_AT);
        return (int) crc.getValue();
    }

    /// The producers of a snapshot, or null when the file is missing or no snapshot. Those too that have expired:
    /// what holds for that is not known yet when logs are loaded, and the first [PartitionLog#tidy] forgets them.
    static @Nullable ProducerStates read(Kernel kernel, Path path) throws ErrnoException {
        byte @Nullable [] content = SmallFiles.read(kernel, path);
        return content == null ? null : parse(content);
    }

    static @Nullable ProducerStates parse(byte[] content) {
        if (content.length < BODY_AT + 4) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(content);
        if (in.getShort() != VERSION || in.getInt() != crc(content)) {
            return null;
        }
        int count = in.getInt();
        if (count < 0 || in.remaining() != (long) count * ENTRY_BYTES) {
            return null;
        }
        ProducerStates producers = new ProducerStates();
        try {
            for (int i = 0; i < count; i++) {
                long id = in.getLong();
                producers.put(id, readState(in));
            }
        } catch (BufferUnderflowException e) {
            throw new AssertionError("the length was checked", e);
        }
        return producers;
    }

    private static ProducerState readState(ByteBuffer in) {
        short epoch = in.getShort();
        int lastSequence = in.getInt();
        long lastOffset = in.getLong();
        int delta = in.getInt();
        long timestamp = in.getLong();
        ProducerState state = new ProducerState();
        state.epoch(epoch);
        state.lastTimestamp(timestamp);
        if (lastOffset >= 0) {
            state.add(epoch, lastSequence, lastOffset, delta, timestamp);
        }
        state.transaction(in.getInt(), in.getLong());
        return state;
    }
}
