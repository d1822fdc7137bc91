package dev.sluice.architecture.broken.io.memory;

import java.lang.foreign.Linker;

/// Breaks a rule: native calls are made in io.linux alone.
public interface CallsNative {
    Linker used();
}
