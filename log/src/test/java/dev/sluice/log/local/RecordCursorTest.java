package dev.sluice.log.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.Seeds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What words of eight bytes make of a record is what a reader of one byte after the other makes of it, for records of
/// every shape, and for bytes that are none.
@Timeout(180)
class RecordCursorTest {
    @Test
    void everyShapeOfRecordIsReadAsWritten() throws Exception {
        Seeds.run(random -> {
            for (int round = 0; round < 200; round++) {
                Writer out = new Writer();
                List<String> written = new ArrayList<>();
                int count = 1 + random.nextInt(20);
                for (int i = 0; i < count; i++) {
                    written.add(write(out, random));
                }
                try (Arena arena = Arena.ofConfined()) {
                    assertThat(read(out.copy(arena), count)).isEqualTo(written);
                }
            }
        });
    }

    @Test
    void damagedRecordsAreToldNotReadBeyond() throws Exception {
        Seeds.run(random -> {
            for (int round = 0; round < 2_000; round++) {
                Writer out = new Writer();
                write(out, random);
                write(out, random);
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment memory = out.copy(arena);
                    for (int flips = random.nextInt(4); flips >= 0; flips--) {
                        memory.set(ValueLayout.JAVA_BYTE, random.nextLong(Math.min(memory.byteSize(), 24)), (byte)
                                random.nextInt());
                    }
                    try {
                        read(memory.asSlice(0, random.nextLong(memory.byteSize() + 1)), 2);
                    } catch (RecordCursor.NoRecordException e) {
                        assertThat(e.found()).isNotEmpty();
                    }
                }
            }
        });
    }

    /// @return what [#read] is to say of it
    private static String write(Writer out, Random random) {
        long timestamp = random.nextBoolean() ? random.nextInt(100) - 50 : random.nextLong() >> random.nextInt(64);
        int offset = random.nextInt() >>> random.nextInt(32);
        int key = length(random);
        int value = length(random);
        int headers = random.nextInt(4) == 0 ? random.nextInt(100) : 0;
        Writer body = new Writer();
        body.bytes.add((byte) 0);
        body.varint(timestamp);
        body.varint(offset);
        body.field(key, 'k');
        body.field(value, 'v');
        body.varint(headers);
        for (int i = 0; i < headers; i++) {
            body.field(1, 'n');
            body.field(-1, 'x');
        }
        out.varint(body.bytes.size());
        out.bytes.addAll(body.bytes);
        return timestamp + " " + offset + " " + key + " " + value + " " + headers;
    }

    private static int length(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> -1;
            case 1 -> 0;
            case 2 -> 8_192 + random.nextInt(3);
            default -> random.nextInt(200);
        };
    }

    /// What the cursor says of each record.
    private static List<String> read(MemorySegment memory, int count) throws RecordCursor.NoRecordException {
        RecordCursor cursor = new RecordCursor();
        cursor.begin(memory, 0, memory.byteSize());
        List<String> read = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            cursor.next();
            touch(memory, cursor.keyAt(), cursor.keyBytes());
            touch(memory, cursor.valueAt(), cursor.valueBytes());
            read.add(cursor.timestampDelta() + " " + cursor.offsetDelta() + " " + cursor.keyBytes() + " "
                    + cursor.valueBytes() + " " + cursor.headers());
        }
        return read;
    }

    /// Throws where a field reaches beyond the memory.
    private static void touch(MemorySegment memory, long position, int lengthBytes) {
        assertThat(memory.asSlice(position, Math.max(lengthBytes, 0)).byteSize())
                .isEqualTo(Math.max(lengthBytes, 0));
    }

    /// Kafka's fields, one byte after the other.
    private static final class Writer {
        private final List<Byte> bytes = new ArrayList<>();

        void varint(long value) {
            long left = value << 1 ^ value >> 63;
            for (; (left & ~0x7FL) != 0; left >>>= 7) {
                bytes.add((byte) (left | 0x80));
            }
            bytes.add((byte) left);
        }

        void field(int lengthBytes, char filling) {
            varint(lengthBytes);
            for (int i = 0; i < lengthBytes; i++) {
                bytes.add((byte) filling);
            }
        }

        MemorySegment copy(Arena arena) {
            MemorySegment memory = arena.allocate(bytes.size());
            for (int i = 0; i < bytes.size(); i++) {
                memory.set(ValueLayout.JAVA_BYTE, i, bytes.get(i));
            }
            return memory;
        }
    }
}
