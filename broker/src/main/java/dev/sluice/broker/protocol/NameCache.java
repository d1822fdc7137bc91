package dev.sluice.broker.protocol;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Turns the bytes of names into strings, the same string for the same bytes, so that a name seen before costs no
/// allocation.
///
/// Bounded in number and in the length of what it keeps, whatever names peers send: a new name takes the place of
/// another one of its row. Names that aren't ASCII are decoded each time; none that a broker accepts is. Owned by
/// one thread.
public final class NameCache {
    /// Kafka's bound on topic names (Topic.MAX_NAME_LENGTH); longer ones are decoded each time.
    static final int LONGEST_BYTES = 249;

    private static final int WAYS = 4;

    private final int rowMask;
    private final @Nullable String[] names;
    private final int[] hashes;
    private int turn;

    /// @param names how many it should remember; each takes about 24 bytes and the string
    public NameCache(int names) {
        int rows = 1;
        while (rows * WAYS < names) {
            rows *= 2;
        }
        this.rowMask = rows - 1;
        this.names = new String[rows * WAYS];
        this.hashes = new int[rows * WAYS];
    }

    /// The name in these bytes; what is not UTF-8 becomes U+FFFD, as in Kafka.
    ///
    /// @param lengthBytes 0 for the empty name, as is anything below
    public String name(MemorySegment memory, long position, int lengthBytes) {
        if (lengthBytes <= 0) {
            return "";
        }
        return isAscii(memory, position, lengthBytes)
                ? asciiName(memory, position, lengthBytes)
                : new String(copy(memory, position, lengthBytes), StandardCharsets.UTF_8);
    }

    /// The name in these bytes, which are the ones it encodes to.
    ///
    /// @throws MalformedRequestException when they are not UTF-8
    String exactName(String field, MemorySegment memory, long position, int lengthBytes) {
        if (lengthBytes == 0) {
            return "";
        }
        if (isAscii(memory, position, lengthBytes)) {
            return asciiName(memory, position, lengthBytes);
        }
        byte[] bytes = copy(memory, position, lengthBytes);
        String name = new String(bytes, StandardCharsets.UTF_8);
        if (!Arrays.equals(bytes, name.getBytes(StandardCharsets.UTF_8))) {
            throw new MalformedRequestException(field, position, "not UTF-8");
        }
        return name;
    }

    private String asciiName(MemorySegment memory, long position, int lengthBytes) {
        if (lengthBytes > LONGEST_BYTES) {
            return new String(copy(memory, position, lengthBytes), StandardCharsets.US_ASCII);
        }
        int hash = hash(memory, position, lengthBytes);
        int row = (hash & rowMask) * WAYS;
        for (int i = row; i < row + WAYS; i++) {
            String known = names[i];
            if (known != null && hashes[i] == hash && isEqual(known, memory, position, lengthBytes)) {
                return known;
            }
        }
        String name = new String(copy(memory, position, lengthBytes), StandardCharsets.US_ASCII);
        int slot = slotFor(row);
        names[slot] = name;
        hashes[slot] = hash;
        return name;
    }

    /// A free slot of the row, else each in its turn.
    private int slotFor(int row) {
        for (int i = row; i < row + WAYS; i++) {
            if (names[i] == null) {
                return i;
            }
        }
        return row + (turn++ & WAYS - 1);
    }

    private static byte[] copy(MemorySegment memory, long position, int lengthBytes) {
        return memory.asSlice(position, lengthBytes).toArray(ValueLayout.JAVA_BYTE);
    }

    private static boolean isAscii(MemorySegment memory, long position, int lengthBytes) {
        byte all = 0;
        for (int i = 0; i < lengthBytes; i++) {
            all |= memory.get(Wire.INT8, position + i);
        }
        return all >= 0;
    }

    private static int hash(MemorySegment memory, long position, int lengthBytes) {
        int hash = lengthBytes;
        for (int i = 0; i < lengthBytes; i++) {
            hash = 31 * hash + memory.get(Wire.INT8, position + i);
        }
        return hash ^ hash >>> 16;
    }

    private static boolean isEqual(String name, MemorySegment memory, long position, int lengthBytes) {
        if (name.length() != lengthBytes) {
            return false;
        }
        for (int i = 0; i < lengthBytes; i++) {
            if (name.charAt(i) != memory.get(Wire.INT8, position + i)) {
                return false;
            }
        }
        return true;
    }
}
