package dev.sluice.cli.explain;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.CopyModel.Circumstances;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Endpoint.Kind;
import dev.sluice.io.transfer.NetworkPath;
import dev.sluice.io.transfer.Plan;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferAccount;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Moves a file by one method and no other, and writes down what happened: the calls in order, the account, what was
/// measured around it. Every byte is checked at the other end.
public final class Explainer {
    private static final long CONNECT_NS = TimeUnit.SECONDS.toNanos(20);

    private Explainer() {}

    /// Runs one transfer, on the calling thread.
    ///
    /// @param folder where a copy is written to, and deleted again
    /// @param cold   whether the file is thrown out of the page cache before
    /// @throws IOException when the file can't be read, the method isn't possible here, or bytes arrived wrong
    public static Explanation explain(Subject subject, Path file, Path folder, boolean cold) throws IOException {
        Trace trace = new Trace();
        Kernel kernel = new Kernel(trace);
        long length = Files.size(file);
        Path copy = Files.createTempFile(folder, ".sluice-explain-", ".tmp");
        try (Transfers transfers = new Transfers(kernel);
                OtherEnd other = OtherEnd.open(subject, file, length);
                Endpoint source = subject.source == Kind.SOCKET
                        ? connect(kernel, other.address())
                        : Endpoint.openSource(kernel, file, kernel.account());
                Endpoint sink = subject.sink == Kind.SOCKET
                        ? connect(kernel, other.address())
                        : Endpoint.openSink(kernel, copy, false, kernel.account());
                FileChannel written = FileChannel.open(copy)) {
            Files.delete(copy); // it lives as long as it is open, and no stop leaves it behind
            prepare(kernel, file, length, cold);
            boolean betweenFiles = subject.source == Kind.FILE && subject.sink == Kind.FILE;
            // No limits: they would add calls of their own to the picture.
            TransferOptions options =
                    TransferOptions.DEFAULT.only(subject.method).withMeasurement();
            TransferAccount account;
            try (Transfer transfer = transfers.begin(source, sink, length, options)) {
                trace.start();
                transfer.run();
                trace.stop();
                account = transfer.account();
            }
            other.check(subject.sink == Kind.FILE ? written : null);
            Plan plan = transfers.plan(source, sink, length, TransferOptions.DEFAULT);
            Circumstances given = account.circumstances(subject.method);
            NetworkPath path = subject.source == Kind.SOCKET ? given.sourcePath() : given.sinkPath();
            return new Explanation(
                    subject.label(),
                    file.toString(),
                    subject.source.label() + " → " + subject.sink.label(),
                    "Linux " + System.getProperty("os.version")
                            + (betweenFiles ? "" : ", TCP over " + path)
                            + (subject.source == Kind.FILE
                                    ? String.format(
                                            Locale.ROOT,
                                            ", %.0f%% of the file in the page cache before",
                                            100 * given.cachedShare())
                                    : ""),
                    length,
                    account.hops(subject.method),
                    betweenFiles ? "" : path.interfaceName(),
                    trace.entries(),
                    account.figures(),
                    plan.toString());
        } finally {
            Files.deleteIfExists(copy);
        }
    }

    private static Endpoint connect(Kernel kernel, InetSocketAddress address) throws ErrnoException {
        return Endpoint.connect(kernel, address, true, CONNECT_NS, kernel.account());
    }

    /// What it costs to fill the page cache is told of cold files only.
    private static void prepare(Kernel kernel, Path file, long length, boolean cold) throws IOException {
        try (Descriptor open =
                Endpoint.openSource(kernel, file, kernel.account()).descriptor()) {
            if (cold) {
                kernel.files().fdatasync(open); // what was not written yet could not be let go of
                kernel.files().advise(open, 0, length, dev.sluice.io.linux.Files.FADV_DONTNEED);
            }
        }
        if (!cold) {
            OtherEnd.sum(file);
        }
    }
}
