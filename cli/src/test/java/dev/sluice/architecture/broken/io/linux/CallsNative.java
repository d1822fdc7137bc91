package dev.sluice.architecture.broken.io.linux;

import java.lang.foreign.Linker;

/// Breaks nothing: this is the place for native calls.
public interface CallsNative {
    Linker used();
}
