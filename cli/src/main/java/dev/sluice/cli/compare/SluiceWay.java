package dev.sluice.cli.compare;

import dev.sluice.io.linux.Account;
import dev.sluice.io.transfer.CopyModel;
import dev.sluice.io.transfer.CopyModel.Circumstances;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Figure.Derived;
import dev.sluice.io.transfer.Method;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferAccount;
import dev.sluice.io.transfer.TransferException;
import dev.sluice.io.transfer.TransferOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// A method of this library, and no other: where the system refuses it, it is unavailable.
record SluiceWay(Direction direction, Method method, boolean prefaulted) implements Way {
    /// Longer than any device needs for a piece, shorter than anybody's patience.
    private static final long IDLE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(20);

    /// The methods of a direction, as a reader meets them: the plain way first.
    static List<Way> all(Direction direction) {
        if (direction == Direction.FILE_TO_MEMORY || direction == Direction.MEMORY_TO_FILE) {
            return List.of();
        }
        Endpoint.Kind source = direction == Direction.SOCKET_TO_FILE ? Endpoint.Kind.SOCKET : Endpoint.Kind.FILE;
        Endpoint.Kind sink = direction == Direction.FILE_TO_SOCKET ? Endpoint.Kind.SOCKET : Endpoint.Kind.FILE;
        List<Way> ways = new ArrayList<>();
        for (Method method : Method.serving(source, sink)) {
            ways.add(new SluiceWay(direction, method, false));
            if (method == Method.MMAP_WRITE) {
                ways.add(new SluiceWay(direction, method, true));
            }
        }
        return ways;
    }

    @Override
    public Family family() {
        return Family.SLUICE;
    }

    @Override
    public String name() {
        return direction == Direction.SOCKET_TO_FILE && method == Method.READ_WRITE
                ? "recv+write"
                : method.label() + (prefaulted ? ", prefaulted" : "");
    }

    @Override
    public boolean hasPieces() {
        return method != Method.REFLINK;
    }

    @Override
    public boolean isSwept() {
        return direction == Direction.FILE_TO_SOCKET && method != Method.ZEROCOPY_SEND;
    }

    @Override
    public boolean wantsWholePages() {
        return method == Method.ZEROCOPY_RECEIVE;
    }

    @Override
    public Cost move(Job job, Meter meter) throws IOException {
        Account owner = job.kernel().account();
        // Limits make blocking sockets time out in the kernel, so a peer that hangs doesn't hang us; files have no use
        // for them.
        TransferOptions named = TransferOptions.DEFAULT.only(method).withChunkBytes(hasPieces() ? job.pieceBytes() : 0);
        TransferOptions options = prefaulted ? named.withPrefault() : named;
        try (Endpoint source = direction == Direction.SOCKET_TO_FILE
                        ? Endpoint.connect(job.kernel(), job.peer(), true, IDLE_TIMEOUT_NS, owner)
                        : new Endpoint.File(
                                Endpoint.openSource(job.kernel(), job.source(), owner)
                                        .descriptor(),
                                job.position());
                Endpoint sink = direction == Direction.FILE_TO_SOCKET
                        ? Endpoint.connect(job.kernel(), job.peer(), true, IDLE_TIMEOUT_NS, owner)
                        : Endpoint.openSink(job.kernel(), job.sink(), false, owner);
                Transfer transfer = job.transfers()
                        .begin(
                                source,
                                sink,
                                job.lengthBytes(),
                                direction == Direction.FILE_TO_FILE
                                        ? options
                                        : options.withIdleTimeoutNs(IDLE_TIMEOUT_NS))) {
            meter.start();
            transfer.run();
            meter.stop();
            return cost(transfer.account(), job);
        } catch (TransferException e) {
            if (e.failure() == TransferException.Failure.UNSUPPORTED) {
                throw new Unavailable(String.valueOf(e.getMessage()), e);
            }
            throw e;
        }
    }

    /// The account's own figures, with the copies derived anew from how much was cached, which the account wasn't
    /// told.
    private Cost cost(TransferAccount account, Job job) {
        Circumstances told = account.circumstances(method);
        List<Hop> hops = CopyModel.hops(
                method,
                new Circumstances(
                        told.source(),
                        told.sink(),
                        job.cachedShare(),
                        told.sourcePath(),
                        told.sinkPath(),
                        told.sharedShare(),
                        told.zerocopyShare()));
        // The account wasn't told how much was cached; the job was.
        String basis = account.cpuCopies()
                .source()
                .replace(
                        "taken as cached",
                        String.format(
                                Locale.ROOT, "%.0f%% in the page cache before (cachestat)", 100 * job.cachedShare()));
        return new Cost(
                account.systemCalls(),
                account.modeSwitches(),
                new Derived("CPU copies", CopyModel.cpuCopies(hops), "copies/byte", basis),
                new Derived("DMA copies", CopyModel.dmaCopies(hops), "copies/byte", basis),
                remark(account, told));
    }

    private static String remark(TransferAccount account, Circumstances told) {
        long copied = account.copiedAfterAllBytes().value();
        if (copied > 0) {
            return String.format(Locale.ROOT, "the kernel copied %.0f%% after all", 100 * (1 - told.zerocopyShare()));
        }
        return told.sharedShare() > 0 ? "extents shared, nothing copied" : "";
    }
}
