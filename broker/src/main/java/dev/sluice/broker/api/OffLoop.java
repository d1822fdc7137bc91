package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Work for a request that may block: done on a control thread, its result used on the request's loop.
final class OffLoop {
    private static final Logger LOG = LoggerFactory.getLogger(OffLoop.class);

    private OffLoop() {}

    /// Does `work` on a thread of `control`, then `answer` on the loop, unless the connection has gone meanwhile.
    /// Whatever either of them throws ends the connection, for nothing sensible can be said: work answers foreseen
    /// failures by error codes. Called on the request's loop.
    ///
    /// @param what names the work in the log
    static <T> void run(Executor control, Request request, String what, Callable<T> work, Consumer<? super T> answer) {
        long ticket = request.ticket();
        control.execute(() -> {
            T result;
            try {
                result = work.call();
            } catch (Throwable t) {
                LOG.error("{} failed", what, t);
                request.loop().execute(() -> request.resume(ticket, () -> request.close(what + " failed")));
                return;
            }
            request.loop().execute(() -> request.resume(ticket, () -> answer.accept(result)));
        });
    }
}
