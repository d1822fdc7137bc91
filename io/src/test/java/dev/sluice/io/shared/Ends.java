package dev.sluice.io.shared;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.util.concurrent.FutureTask;

/// A writer and a reader in one process, connected by a pair of sockets.
record Ends(SharedPool pool, SharedPoolReader reader) implements AutoCloseable {
    static Ends connect(Kernel kernel, SharedPoolConfig config, SharedPoolReaderConfig readerConfig) throws Exception {
        SharedPool pool = SharedPool.create(kernel, config, kernel.account());
        return new Ends(pool, attach(kernel, pool, readerConfig));
    }

    static SharedPoolReader attach(Kernel kernel, SharedPool pool, SharedPoolReaderConfig config) throws Exception {
        Account account = kernel.account();
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, account);
        FutureTask<SharedPoolReader> accepting =
                new FutureTask<>(() -> SharedPoolReader.accept(kernel, pair[1], config, account));
        Thread.ofPlatform().start(accepting);
        pool.attach(pair[0]);
        return accepting.get();
    }

    /// What nobody has to wait for: there is one.
    SharedBuffer acquire() throws Exception {
        return java.util.Objects.requireNonNull(pool.acquire(0), "no buffer is free");
    }

    SharedBuffer receive() throws Exception {
        return java.util.Objects.requireNonNull(reader.receive(0), "nothing was sent");
    }

    @Override
    public void close() {
        pool.close();
        reader.close();
    }
}
