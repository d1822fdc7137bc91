package dev.sluice.io.shared;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/// A buffer of a pool, in the hands of who acquired or received it until it sends, discards or releases it. Its memory
/// is the pool's: after that it is another's, and after the pool's close, access throws IllegalStateException. Used by
/// the thread that uses the pool; the memory by any.
public final class SharedBuffer {
    private final Object pool;
    private final int index;
    private final MemorySegment whole;
    private int lengthBytes;
    private int checksum;
    private boolean hasChecksum;

    SharedBuffer(Object pool, int index, MemorySegment whole) {
        this.pool = pool;
        this.index = index;
        this.whole = whole;
        this.lengthBytes = (int) whole.byteSize();
    }

    boolean isOf(Object somePool) {
        return pool == somePool;
    }

    /// Says what was received in it.
    void received(InRing entry) {
        lengthBytes = entry.lengthBytes();
        checksum = entry.checksum();
        hasChecksum = entry.hasChecksum();
    }

    /// Its number in the pool, from 0 on.
    public int index() {
        return index;
    }

    /// Bytes that were sent in it; of a buffer to be filled, its size.
    public int lengthBytes() {
        return lengthBytes;
    }

    /// The bytes themselves, in the pages that the other process has too. A writer fills them. A reader's are
    /// read-only, unless it asked for private copies, and **can change while it reads them** if the writer is
    /// hostile or wrong: decide on a copy ([#copyTo]), or read each byte once.
    public MemorySegment memory() {
        return lengthBytes == whole.byteSize() ? whole : whole.asSlice(0, lengthBytes);
    }

    /// Whether the writer sent a checksum along.
    public boolean hasChecksum() {
        return hasChecksum;
    }

    /// Copies the bytes to where nobody else writes, then verifies the copy: one copy by the CPU, and then what was
    /// verified is what is used. Without a checksum there is nothing to verify, but the copy holds still.
    ///
    /// @param target [#lengthBytes] at least, native or on the heap
    /// @return false when the copy isn't what the writer's checksum was made of: the bytes changed after they were
    ///     sent. A writer that means harm sends a checksum that fits: this shows mistakes, the copy stops attacks
    public boolean copyTo(MemorySegment target) {
        MemorySegment copy = target.asSlice(0, lengthBytes).copyFrom(memory());
        return !hasChecksum || checksumOf(copy) == checksum;
    }

    static int checksumOf(MemorySegment bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.asByteBuffer());
        return (int) crc.getValue();
    }
}
