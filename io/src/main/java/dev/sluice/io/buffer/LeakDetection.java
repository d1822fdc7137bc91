package dev.sluice.io.buffer;

import java.lang.ref.Cleaner;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Finds buffers that were lost without being released, and tells where they were acquired.
///
/// A watched buffer costs a stack walk when it is acquired, some microseconds, and an entry in the cleaner. When the
/// collector finds that nothing refers to it, the listener is told on the cleaner's thread. A leak is reported, not
/// mended: a pool may belong to a thread, and somebody may still use the memory through a segment. Thread-safe.
public final class LeakDetection {
    /// Watches nothing.
    public static final LeakDetection OFF = new LeakDetection(0, null, leak -> {});

    /// What is left out of a stack, so that it begins with who asked for the buffer.
    private static final Set<String> OURS =
            Set.of(LeakDetection.class.getName(), Buffer.class.getName(), Buffers.class.getName());

    private final long nth;
    private final @Nullable Cleaner cleaner;
    private final Consumer<Leak> listener;
    private final AtomicLong seen = new AtomicLong();

    private LeakDetection(long nth, @Nullable Cleaner cleaner, Consumer<Leak> listener) {
        this.nth = nth;
        this.cleaner = cleaner;
        this.listener = listener;
    }

    /// Watches every buffer: for tests, and to find what sampling has seen.
    public static LeakDetection always(Cleaner cleaner, Consumer<Leak> listener) {
        return sampled(1, cleaner, listener);
    }

    /// Watches one buffer of `nth`.
    ///
    /// @param cleaner  whose thread calls the listener; a process needs one
    /// @param listener should not throw, and return soon
    public static LeakDetection sampled(long nth, Cleaner cleaner, Consumer<Leak> listener) {
        if (nth < 1) {
            throw new IllegalArgumentException("nth is " + nth + "; 1 watches every buffer");
        }
        return new LeakDetection(nth, cleaner, listener);
    }

    /// Begins to watch a buffer, if it is one of those.
    @Nullable Watch watch(Buffer buffer) {
        Cleaner watcher = cleaner;
        if (watcher == null || (nth > 1 && seen.getAndIncrement() % nth != 0)) {
            return null;
        }
        Watch watch = new Watch(listener, buffer.lengthBytes(), new Acquired(Thread.currentThread()));
        watch.cleanable = watcher.register(buffer, watch);
        return watch;
    }

    /// Says where a buffer was acquired: a stack, not an error.
    private static final class Acquired extends Throwable {
        Acquired(Thread thread) {
            super("acquired by thread " + thread.getName());
            StackTraceElement[] stack = getStackTrace();
            int own = 0;
            while (own < stack.length && OURS.contains(stack[own].getClassName())) {
                own++;
            }
            setStackTrace(Arrays.copyOfRange(stack, own, stack.length));
        }
    }

    /// What is known of a watched buffer. Doesn't refer to it, so that it can be found to be lost.
    static final class Watch implements Runnable {
        private final Consumer<Leak> listener;
        private final long lengthBytes;
        private final Throwable acquired;

        /// Written by whoever acquires the buffer, before anybody else has it.
        private Cleaner.@Nullable Cleanable cleanable;

        /// Written by whoever releases the buffer; read by the cleaner's thread, to which the cleaner hands it
        /// over.
        private volatile boolean released;

        Watch(Consumer<Leak> listener, long lengthBytes, Throwable acquired) {
            this.listener = listener;
            this.lengthBytes = lengthBytes;
            this.acquired = acquired;
        }

        /// Where the buffer was acquired.
        Throwable acquired() {
            return acquired;
        }

        void released() {
            released = true;
            if (cleanable != null) {
                cleanable.clean();
            }
        }

        @Override
        public void run() {
            if (!released) {
                listener.accept(new Leak(lengthBytes, acquired));
            }
        }
    }
}
