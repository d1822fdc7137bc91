package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.MalformedRequestException;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Work for requests that may block or takes long: done on a control thread, its result used on the request's loop.
///
/// Thread-safe; shared by all loops of a broker.
public final class OffLoop {
    private static final Logger LOG = LoggerFactory.getLogger(OffLoop.class);

    /// The most that the requests whose work is not done yet were long, all together. Parsed, a request takes up to
    /// some twenty times its length; this many bytes are thousands of those that clients send, and four of the
    /// largest.
    private static final long MOST_BYTES = 4 << 20;

    private final Executor control;
    private final AtomicLong queuedBytes = new AtomicLong();

    /// @param control where the work is done
    public OffLoop(Executor control) {
        this.control = control;
    }

    /// Does `work` on a control thread, then `answer` on the loop, unless the connection has gone meanwhile.
    /// Whatever either of them throws ends the connection, for nothing sensible can be said: work answers foreseen
    /// failures by error codes. So does a queue that is full. Called on the request's loop, as the last thing that
    /// is done there.
    ///
    /// @param what names the work in the log
    <T> void run(Request request, String what, Callable<T> work, Consumer<? super T> answer) {
        int bytes = request.lengthBytes();
        long queued = queuedBytes.addAndGet(bytes);
        if (queued > MOST_BYTES && queued > bytes) {
            queuedBytes.addAndGet(-bytes);
            request.close(what + " has to wait for too much work of others");
            return;
        }
        long ticket = request.ticket();
        boolean accepted = false;
        try {
            control.execute(() -> {
                try {
                    work(request, ticket, what, work, answer);
                } finally {
                    queuedBytes.addAndGet(-bytes);
                }
            });
            accepted = true;
        } finally {
            if (!accepted) {
                queuedBytes.addAndGet(-bytes);
            }
        }
    }

    private static <T> void work(
            Request request, long ticket, String what, Callable<T> work, Consumer<? super T> answer) {
        Runnable then;
        try {
            T result = work.call();
            then = () -> answer.accept(result);
        } catch (MalformedRequestException e) {
            then = () -> request.close("sent a request that can't be read: " + e.getMessage());
        } catch (Throwable t) {
            LOG.error("{} failed", what, t);
            then = () -> request.close(what + " failed");
        }
        Runnable next = then;
        request.loop().execute(() -> request.resume(ticket, next));
    }
}
