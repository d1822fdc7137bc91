package dev.sluice.io.transfer;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.CopyModel.Circumstances;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Figure.Counted;
import dev.sluice.io.transfer.Figure.Derived;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What a transfer cost, finished or under way. Immutable.
///
/// Calls and bytes are counted, resources are measured (if asked for), copies and mode switches are derived; each
/// figure's type says which. The calls are those made for this transfer: planning, waiting and fallbacks are among
/// them, opening and closing its ends isn't. Pipes and buffers come from a pool, so only the transfer that had to make
/// them pays.
public final class TransferAccount {
    /// A change of method on the way.
    ///
    /// @param call   the call that was refused; empty when the kernel told in another way
    /// @param errno  what it said; 0 likewise
    /// @param why    in words
    /// @param atByte how many bytes had been delivered
    public record Fallback(Method from, Method to, Optional<Call> call, int errno, String why, long atByte) {}

    private final Plan plan;
    private final long deliveredBytes;
    private final long takenBytes;
    private final long copiedAfterAllBytes;
    private final long stagedBytes;
    private final Map<Method, Long> bytesByMethod;
    private final List<Fallback> fallbacks;
    private final Map<Call, Account.Count> calls;
    private final Optional<Usage> usage;
    private final Map<Method, Circumstances> circumstances;
    private final boolean cachedShareKnown;

    private TransferAccount(
            Flow flow,
            Plan plan,
            Map<Method, Long> bytesByMethod,
            List<Fallback> fallbacks,
            Map<Call, Account.Count> calls,
            Optional<Usage> usage,
            Map<Method, Circumstances> circumstances,
            boolean cachedShareKnown) {
        this.plan = plan;
        this.deliveredBytes = flow.delivered;
        this.takenBytes = flow.taken;
        this.copiedAfterAllBytes = flow.copiedAfterAll;
        this.stagedBytes = flow.staged;
        this.bytesByMethod = bytesByMethod;
        this.fallbacks = fallbacks;
        this.calls = calls;
        this.usage = usage;
        this.circumstances = circumstances;
        this.cachedShareKnown = cachedShareKnown;
    }

    /// Looks at the ends for what copies depend on: a socket's path; whether a copied file shares extents. Not
    /// counted in the transfer.
    static TransferAccount of(
            Kernel kernel,
            Flow flow,
            Plan plan,
            Map<Method, Long> bytesByMethod,
            List<Fallback> fallbacks,
            Map<Call, Account.Count> calls,
            Optional<Usage> usage,
            double cachedShare) {
        NetworkPath sourcePath = path(kernel, flow.source);
        NetworkPath sinkPath = path(kernel, flow.sink);
        Map<Method, Circumstances> circumstances = new EnumMap<>(Method.class);
        Map<Method, Long> moved = bytesByMethod.isEmpty() ? Map.of(plan.method(), 0L) : bytesByMethod;
        moved.forEach((method, bytes) -> circumstances.put(
                method,
                new Circumstances(
                        flow.source.kind(),
                        flow.sink.kind(),
                        cachedShare < 0 ? 1 : cachedShare,
                        sourcePath,
                        sinkPath,
                        method == Method.COPY_FILE_RANGE ? sharedShare(kernel, flow) : 0,
                        bytes == 0 ? 1 : 1 - Math.min(1, (double) flow.copiedAfterAll / bytes),
                        bytes == 0 ? 0 : Math.min(1, (double) flow.staged / bytes))));
        return new TransferAccount(flow, plan, bytesByMethod, fallbacks, calls, usage, circumstances, cachedShare >= 0);
    }

    private static NetworkPath path(Kernel kernel, Endpoint end) {
        return end instanceof Endpoint.Socket socket
                ? NetworkPath.of(kernel, socket.descriptor())
                : NetworkPath.UNKNOWN;
    }

    /// All or nothing, by the extent of the first byte: the kernel shares what one call covers as a whole.
    private static double sharedShare(Kernel kernel, Flow flow) {
        return flow.sink instanceof Endpoint.File file
                        && kernel.fileCopies().sharesExtent(file.descriptor(), file.position()) == 1
                ? 1
                : 0;
    }

    /// What the transfer began with, and why.
    public Plan plan() {
        return plan;
    }

    /// The changes of method on the way, in their order; none as a rule.
    public List<Fallback> fallbacks() {
        return fallbacks;
    }

    /// Bytes that the sink took.
    public Counted deliveredBytes() {
        return new Counted("delivered", deliveredBytes, "bytes");
    }

    /// Bytes that the source gave; more than delivered when the transfer ended early with bytes in a buffer or
    /// pipe.
    public Counted takenBytes() {
        return new Counted("taken", takenBytes, "bytes");
    }

    /// Of the bytes of a zero-copy send or receive, those that the kernel said it copied or couldn't map.
    public Counted copiedAfterAllBytes() {
        return new Counted("copied after all", copiedAfterAllBytes, "bytes");
    }

    /// Of the bytes of memory, those that were copied between the heap and a native buffer of ours: 0 for native
    /// memory.
    public Counted stagedBytes() {
        return new Counted("copied from or to the heap", stagedBytes, "bytes");
    }

    /// Bytes that the sink took, by the method that moved them.
    public Map<Method, Long> bytesByMethod() {
        return bytesByMethod;
    }

    /// The system calls by kind, with those that failed (EAGAIN too).
    public Map<Call, Account.Count> calls() {
        return calls;
    }

    /// All system calls, whatever they answered.
    public Counted systemCalls() {
        return new Counted(
                "system calls",
                calls.values().stream().mapToLong(Account.Count::calls).sum(),
                "calls");
    }

    /// From user to kernel mode and back: two for each call. Page faults and interrupts switch too and aren't in
    /// this figure.
    public Derived modeSwitches() {
        return new Derived("mode switches", 2.0 * systemCalls().value(), "switches", "two for each system call");
    }

    /// Copies of each byte by the processor, on this machine, for this transfer's part of the way: what the peer
    /// does isn't in it.
    public Derived cpuCopies() {
        return new Derived("CPU copies", average(CopyModel.By.CPU), "copies/byte", basis());
    }

    /// Copies of each byte by devices, write-back that comes later included.
    public Derived dmaCopies() {
        return new Derived("DMA copies", average(CopyModel.By.DMA), "copies/byte", basis());
    }

    /// The way of a byte that went by this method, with the kernel function that each move rests on.
    ///
    /// @throws IllegalArgumentException when no byte went by it
    public List<Hop> hops(Method method) {
        Circumstances given = circumstances.get(method);
        if (given == null) {
            throw new IllegalArgumentException("No byte went by " + method.label());
        }
        return CopyModel.hops(method, given);
    }

    /// What [#hops] were derived from.
    public Circumstances circumstances(Method method) {
        Circumstances given = circumstances.get(method);
        if (given == null) {
            throw new IllegalArgumentException("No byte went by " + method.label());
        }
        return given;
    }

    /// What was measured, if the options asked for it and [Transfer#run] has ended.
    public Optional<Usage> usage() {
        return usage;
    }

    private double average(CopyModel.By by) {
        if (bytesByMethod.isEmpty()) {
            return 0;
        }
        double copies = 0;
        for (Map.Entry<Method, Long> entry : bytesByMethod.entrySet()) {
            List<Hop> hops = hops(entry.getKey());
            copies +=
                    entry.getValue() * (by == CopyModel.By.CPU ? CopyModel.cpuCopies(hops) : CopyModel.dmaCopies(hops));
        }
        return copies / Math.max(1, deliveredBytes);
    }

    private String basis() {
        Circumstances any = circumstances.values().iterator().next();
        StringBuilder basis = new StringBuilder("CopyModel");
        if (any.source() == Endpoint.Kind.FILE) {
            basis.append(
                    cachedShareKnown
                            ? String.format(Locale.ROOT, ", %.0f%% in the page cache before", any.cachedShare() * 100)
                            : ", taken as cached");
        }
        if (any.source() == Endpoint.Kind.SOCKET) {
            basis.append(", from ").append(any.sourcePath());
        }
        if (any.sink() == Endpoint.Kind.SOCKET) {
            basis.append(", over ").append(any.sinkPath());
        }
        if (any.sharedShare() > 0) {
            basis.append(", extents shared (FIEMAP)");
        }
        return basis.toString();
    }

    /// Everything, for a table: the counted, the derived, then the measured if there are any.
    public List<Figure> figures() {
        List<Figure> figures = new ArrayList<>();
        figures.add(deliveredBytes());
        if (copiedAfterAllBytes > 0) {
            figures.add(copiedAfterAllBytes());
        }
        if (stagedBytes > 0) {
            figures.add(stagedBytes());
        }
        figures.add(systemCalls());
        calls.forEach((call, count) -> figures.add(new Counted(call.kernelName(), count.calls(), "calls")));
        figures.add(modeSwitches());
        figures.add(cpuCopies());
        figures.add(dmaCopies());
        usage.ifPresent(measured -> figures.addAll(measured.figures()));
        return figures;
    }

    /// One line: `sendfile: 1073741824 bytes, 3 calls (counted); 6 mode switches, 0.00 CPU and 0.00 DMA copies/byte
    /// (derived: …)`.
    @Override
    public String toString() {
        String methods = bytesByMethod.isEmpty()
                ? plan.method().label()
                : String.join(
                        ", then ",
                        bytesByMethod.keySet().stream().map(Method::label).toList());
        return String.format(
                Locale.ROOT,
                "%s: %d bytes, %d calls (counted); %.0f mode switches, %.2f CPU and %.2f DMA copies/byte (derived: %s)",
                methods,
                deliveredBytes,
                systemCalls().value(),
                modeSwitches().value(),
                cpuCopies().value(),
                dmaCopies().value(),
                basis());
    }
}
