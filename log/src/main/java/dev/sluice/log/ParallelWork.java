package dev.sluice.log;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;

/// Does the same with each of many, side by side, on a few platform threads that end with it: what is done blocks on
/// the disk.
final class ParallelWork {
    private ParallelWork() {}

    /// What is done with one.
    @FunctionalInterface
    interface Task<T, R> {
        R run(T item) throws IOException;
    }

    /// Does it with all of them, whatever fails, and waits for the last.
    ///
    /// @param name   of the threads
    /// @param onFail what the message of a failure begins with
    /// @return the answers, in the order of `items`
    /// @throws IOException the first failure; the others are suppressed in it
    static <T, R> List<R> run(String name, int threads, List<T> items, String onFail, Task<T, R> task)
            throws IOException {
        if (items.isEmpty()) {
            return List.of();
        }
        ThreadFactory factory = Thread.ofPlatform().name(name + "-", 0).daemon().factory();
        List<Future<R>> pending = new ArrayList<>(items.size());
        try (ExecutorService executor = Executors.newFixedThreadPool(Math.min(threads, items.size()), factory)) {
            for (T item : items) {
                pending.add(executor.submit(() -> task.run(item)));
            }
        } // waits for all
        List<R> answers = new ArrayList<>(items.size());
        Failures failures = new Failures();
        for (int i = 0; i < items.size(); i++) {
            T item = items.get(i);
            Future<R> each = pending.get(i);
            failures.run(() -> answers.add(answer(each, onFail + item)));
        }
        failures.throwIfAny();
        return answers;
    }

    private static <R> R answer(Future<R> future, String what) throws IOException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(what + ": " + cause.getMessage(), cause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // some were not begun
            throw new InterruptedIOException(what + ": interrupted");
        }
    }
}
