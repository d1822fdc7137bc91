package dev.sluice.io.transfer;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.MappingPool;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.LongSupplier;

/// Begins transfers, and keeps what they share: the planner's memory, pipes, buffers, the bound on maps, the numbers of
/// zero-copy sends.
///
/// ```java
/// try (Transfers transfers = new Transfers(kernel);
///         Endpoint.File file = Endpoint.openSource(kernel, path, kernel.account());
///         Endpoint.Socket peer = Endpoint.connect(kernel, address, true, 0, kernel.account());
///         Transfer transfer = transfers.begin(file, peer, Transfer.UNTIL_END, TransferOptions.DEFAULT)) {
///     transfer.run();
///     System.out.println(transfer.account());
/// }
/// ```
///
/// Thread-safe; a single [Transfer] is not. Close it after its transfers: it frees the pooled pipes and buffers.
public final class Transfers implements AutoCloseable {
    /// Maps at once. Each covers up to 64 MiB of address space and leaves the process 98% of its maps.
    private static final int MOST_MAPS = 1024;

    final Kernel kernel;
    final LongSupplier clockNs;
    final Planner planner = new Planner();
    final PipePool pipes;
    final MappingPool buffers = new MappingPool();
    final MapBudget maps = new MapBudget(MOST_MAPS);

    /// By socket, for as long as the socket's descriptor is reachable: the kernel counts a socket's zero-copy sends
    /// over all transfers.
    private final Map<Descriptor, ZerocopySocket> zerocopySockets = Collections.synchronizedMap(new WeakHashMap<>());

    /// With the system's clock.
    ///
    /// @param kernel what all transfers go through
    public Transfers(Kernel kernel) {
        this(kernel, System::nanoTime);
    }

    /// @param clockNs what timeouts are measured with
    public Transfers(Kernel kernel, LongSupplier clockNs) {
        this.kernel = kernel;
        this.clockNs = clockNs;
        this.pipes = new PipePool(kernel.account());
    }

    /// Which method a transfer would begin with, and why. Moves nothing.
    ///
    /// @param lengthBytes bytes to move, or [Transfer#UNTIL_END]
    public Plan plan(Endpoint source, Endpoint sink, long lengthBytes, TransferOptions options) throws ErrnoException {
        return planner.plan(kernel, source, sink, lengthBytes, options);
    }

    /// A transfer that has moved nothing yet. The ends are borrowed until it is closed.
    ///
    /// @param lengthBytes bytes to move, or [Transfer#UNTIL_END] for all that the source gives. A file that grows
    ///     meanwhile adds nothing to a length that was named
    /// @throws ErrnoException           when the ends can't be looked at
    /// @throws IllegalArgumentException when the method asked for doesn't serve these ends, or memory is shorter
    ///                                  than the length
    public Transfer begin(Endpoint source, Endpoint sink, long lengthBytes, TransferOptions options)
            throws ErrnoException {
        long length = lengthBytes;
        if (source instanceof Endpoint.Memory memory) {
            length = bounded(length, memory);
        }
        if (sink instanceof Endpoint.Memory memory) {
            if (memory.pieces().isReadOnly()) {
                throw new IllegalArgumentException("The memory to receive into is read-only");
            }
            length = bounded(length, memory);
        }
        if (length < 0) {
            throw new IllegalArgumentException("lengthBytes " + length + " is negative");
        }
        Account tally = Account.root("transfer");
        Kernel counting = kernel.tallying(tally);
        Plan plan = planner.plan(counting, source, sink, length, options);
        return new Transfer(this, counting, tally, source, sink, length, plan, options);
    }

    private static long bounded(long lengthBytes, Endpoint.Memory memory) {
        long size = memory.lengthBytes();
        if (lengthBytes == Transfer.UNTIL_END) {
            return size;
        }
        if (lengthBytes > size) {
            throw new IllegalArgumentException("The memory has " + size + " bytes, not " + lengthBytes);
        }
        return lengthBytes;
    }

    ZerocopySocket zerocopySocket(Descriptor socket) {
        return zerocopySockets.computeIfAbsent(socket, ZerocopySocket::new);
    }

    /// Frees pooled pipes and buffers. Transfers under way keep theirs until they are closed.
    @Override
    public void close() {
        pipes.close();
        buffers.close();
    }
}
