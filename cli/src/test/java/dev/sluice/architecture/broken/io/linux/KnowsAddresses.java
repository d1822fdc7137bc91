package dev.sluice.architecture.broken.io.linux;

import java.lang.foreign.MemorySegment;

/// Breaks nothing: this is the place for raw addresses.
public interface KnowsAddresses {
    static long of(MemorySegment memory) {
        return memory.address();
    }
}
