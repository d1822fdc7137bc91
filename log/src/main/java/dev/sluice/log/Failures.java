package dev.sluice.log;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Runs what has to be run whatever failed before, and keeps the failures.
final class Failures {
    /// Something that may fail.
    @FunctionalInterface
    interface Step {
        void run() throws IOException;
    }

    private @Nullable IOException first;

    void run(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            add(e);
        }
    }

    void add(IOException failure) {
        if (first == null) {
            first = failure;
        } else {
            first.addSuppressed(failure);
        }
    }

    boolean none() {
        return first == null;
    }

    /// Throws the first failure; the others are suppressed in it.
    void throwIfAny() throws IOException {
        if (first != null) {
            throw first;
        }
    }
}
