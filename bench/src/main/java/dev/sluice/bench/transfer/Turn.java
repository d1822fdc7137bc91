package dev.sluice.bench.transfer;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A turn on a machine that others use too: holds a lock file as flock(1) does, exclusively, while a round is measured.
/// Java's own file locks are fcntl's and don't see flock's. Where others never let go of it for [#WAIT_SECONDS], it
/// goes on without, and says so.
final class Turn implements AutoCloseable {
    private static final String WAIT_SECONDS = "10";

    private final @Nullable Process holder;

    private Turn(@Nullable Process holder) {
        this.holder = holder;
    }

    /// @param lock the file to lock; empty for no lock
    static Turn take(String lock) throws IOException {
        if (lock.isEmpty()) {
            return new Turn(null);
        }
        Process holder = new ProcessBuilder(
                        List.of("flock", "-x", "-w", WAIT_SECONDS, lock, "-c", "echo held; read -r released"))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        if (holder.getInputStream().read() != 'h') {
            System.err.println("No lock on " + lock + " within " + WAIT_SECONDS + " s: going on without");
            return new Turn(null);
        }
        return new Turn(holder);
    }

    /// Whether the lock is held.
    boolean isHeld() {
        return holder != null;
    }

    @Override
    public void close() {
        if (holder == null) {
            return;
        }
        try {
            holder.getOutputStream().close(); // its read ends, and with it the lock
            if (!holder.waitFor(10, TimeUnit.SECONDS)) {
                holder.destroyForcibly();
            }
        } catch (IOException e) {
            holder.destroyForcibly();
        } catch (InterruptedException e) {
            holder.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
