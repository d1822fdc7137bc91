package dev.sluice.broker.net;

import dev.sluice.io.linux.Kernel;

/// Everything by which consumers are sent what has to be read from the disk: one for all loops.
///
/// Thread-safe.
final class ColdReads implements AutoCloseable {
    private final ColdThreads threads;
    private final ColdFiles files;
    private final ColdReader cached;
    private final DirectReader direct;

    /// @param mostFiles that are open at a time, see [ColdFiles]
    ColdReads(Kernel kernel, int mostFiles) {
        this(kernel, new ColdThreads(), new ColdFiles(mostFiles, System::nanoTime));
    }

    /// Takes over the threads and the files.
    ColdReads(Kernel kernel, ColdThreads threads, ColdFiles files) {
        this.threads = threads;
        this.files = files;
        this.cached = new ColdReader(kernel, threads, files, System::nanoTime);
        this.direct = new DirectReader(kernel, threads, files);
    }

    ColdThreads threads() {
        return threads;
    }

    /// What both keep open.
    ColdFiles files() {
        return files;
    }

    /// Through the page cache.
    ColdReader cached() {
        return cached;
    }

    /// Past the page cache.
    DirectReader direct() {
        return direct;
    }

    /// Waits for reads that are under way, then closes all files and pipes, those too that are with sinks.
    @Override
    public void close() {
        direct.stop();
        threads.close();
        files.close();
        direct.close();
    }
}
