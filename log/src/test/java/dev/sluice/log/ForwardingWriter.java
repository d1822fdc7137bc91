package dev.sluice.log;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A writer that hands every call to another: for tests that change one of them. Closes the other with itself.
abstract class ForwardingWriter implements SegmentWriter {
    private final SegmentWriter real;

    ForwardingWriter(SegmentWriter real) {
        this.real = real;
    }

    @Override
    public long room(long lengthBytes) {
        return real.room(lengthBytes);
    }

    @Override
    public long write(MemorySegment memory, long from, long lengthBytes) {
        return real.write(memory, from, lengthBytes);
    }

    @Override
    public void commit(long mark) {
        real.commit(mark);
    }

    @Override
    public long end() {
        return real.end();
    }

    @Override
    public long trim() {
        return real.trim();
    }

    @Override
    public long flush() {
        return real.flush();
    }

    @Override
    public @Nullable InMemory inMemory(long position, long lengthBytes) {
        return real.inMemory(position, lengthBytes);
    }

    @Override
    public void close() {
        real.close();
    }
}
