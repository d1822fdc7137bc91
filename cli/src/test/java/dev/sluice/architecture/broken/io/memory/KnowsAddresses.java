package dev.sluice.architecture.broken.io.memory;

import java.lang.foreign.MemorySegment;

/// Breaks a rule: a raw address exists in io.linux alone.
public interface KnowsAddresses {
    static long of(MemorySegment memory) {
        return memory.address();
    }
}
