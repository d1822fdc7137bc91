package dev.sluice.architecture.broken.io.linux;

import org.slf4j.Logger;

/// Breaks a rule: io has the JDK alone.
public interface UsesALibrary {
    Logger used();
}
