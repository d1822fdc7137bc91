package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint.Kind;
import dev.sluice.io.transfer.Plan.RuledOut;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Picks the method that a transfer begins with, from its ends, its length and what the system has refused before.
///
/// What the system offers is found out by asking for it: a refused call costs a microsecond, once, and the planner
/// remembers it for the pair of file systems. Thread-safe.
public final class Planner {
    /// Up to here two calls and a copy that stays in the processor's cache cost no more than one sendfile: for a
    /// whole transfer over loopback 2.2 µs against 2.4 at 512 bytes, 2.6 against 2.6 at 2 KiB, 3.3 against 2.9 at 4
    /// KiB.
    public static final long SMALL_BYTES = 2 << 10;

    /// From here on pinning pages costs less than copying them, on a real device:
    /// Documentation/networking/msg_zerocopy.rst says 10 KiB.
    public static final long ZEROCOPY_BYTES = 32 << 10;

    /// splice_direct_to_actor goes through a pipe of 16 pages, so the sink's page cache grows in 64 KiB folios.
    /// Measured on ext4, seven rounds, medians: 0.27 s/GiB into a fresh file against 0.21 by read+write with 1 MiB,
    /// 0.15 against 0.11 into a cached one; alike on tmpfs.
    private static final String IN_KERNEL_COPY =
            "one copy less, but in pieces of 16 pages, which costs more than large reads and writes";

    private static final String ON_HEAP =
            "the collector moves what lies on the heap, so the kernel can't refer to it after the call";

    private static final long PAGE_BYTES = 4096;

    /// Bounds the memory; a process sees a handful of file systems.
    private static final int MOST_REFUSALS = 1024;

    /// What the system said no to.
    ///
    /// @param errno the positive error number
    public record Refusal(Call call, int errno) {}

    private record Key(Method method, long sourceDevice, long sinkDevice) {}

    private final Map<Key, Refusal> refusals = new ConcurrentHashMap<>();

    /// Plans a transfer. For a pair of files it asks statx of both and the sink's flags; for a socket that memory
    /// is sent to, its path; else it asks the system nothing until something was refused.
    ///
    /// @param lengthBytes bytes to move, or [Transfer#UNTIL_END]
    /// @throws ErrnoException when the ends can't be looked at
    /// @throws IllegalArgumentException when no method, or not the one asked for, serves these ends, or when a file
    ///     would be copied over itself
    public Plan plan(Kernel kernel, Endpoint source, Endpoint sink, long lengthBytes, TransferOptions options)
            throws ErrnoException {
        List<Method> serving = Method.serving(source.kind(), sink.kind());
        if (serving.isEmpty()) {
            throw new IllegalArgumentException("Memory is copied to memory without a transfer");
        }
        Optional<Method> asked = options.method();
        if (asked.isPresent() && !serving.contains(asked.get())) {
            throw new IllegalArgumentException(asked.get().label() + " doesn't move bytes from a "
                    + source.kind().label() + " to a " + sink.kind().label() + "; "
                    + serving.stream().map(Method::label).toList() + " do");
        }
        if (asked.equals(Optional.of(Method.ZEROCOPY_SEND))
                && source instanceof Endpoint.Memory memory
                && memory.pieces().heapBytes() > 0) {
            throw new IllegalArgumentException(Method.ZEROCOPY_SEND.label() + ": " + ON_HEAP + "; use native memory");
        }
        if (asked.isPresent() && options.strict()) {
            return new Plan(asked.get(), "asked for, and nothing else", List.of(), List.of());
        }
        Draft draft = new Draft();
        switch (source.kind()) {
            case FILE -> fromFile(draft, kernel, (Endpoint.File) source, sink, lengthBytes);
            case SOCKET, PIPE -> fromStream(draft, source, sink);
            case MEMORY -> fromMemory(draft, kernel, (Endpoint.Memory) source, sink, lengthBytes);
        }
        forgoRefused(draft, kernel, source, sink);
        return draft.finish(asked);
    }

    private static void fromFile(Draft draft, Kernel kernel, Endpoint.File source, Endpoint sink, long lengthBytes)
            throws ErrnoException {
        switch (sink) {
            case Endpoint.File file -> betweenFiles(draft, kernel, source, file, lengthBytes);
            case Endpoint.Socket _ -> {
                String waste = mappingWaste(lengthBytes);
                if (lengthBytes <= SMALL_BYTES) {
                    draft.prefer(
                            Method.READ_WRITE,
                            "at most " + SMALL_BYTES
                                    + " bytes: the copy stays in the processor's cache and costs less than page references");
                    draft.prefer(Method.SENDFILE, "page references instead of a copy, in one call");
                } else {
                    draft.prefer(
                            Method.SENDFILE, "the socket refers to the page cache: no copy by the processor, one call");
                    draft.prefer(Method.SPLICE, "page references through a pipe");
                    draft.prefer(Method.READ_WRITE, "always possible");
                    draft.ruleOut(Method.SPLICE, "what sendfile does, with two calls for each pipe full");
                }
                draft.ruleOut(Method.MMAP_WRITE, waste);
                draft.ruleOut(Method.ZEROCOPY_SEND, "reads into memory first; sendfile needs no memory");
            }
            case Endpoint.Pipe _ -> {
                draft.prefer(Method.SPLICE, "the pipe refers to the page cache: no copy by the processor, one call");
                draft.prefer(Method.SENDFILE, "splice inside the kernel");
                draft.prefer(Method.READ_WRITE, "always possible");
                draft.ruleOut(Method.MMAP_WRITE, mappingWaste(lengthBytes));
            }
            case Endpoint.Memory _ -> draft.prefer(Method.READ, "the only way into memory of ours");
        }
    }

    /// Why a map made for one transfer is no good, in this transfer's figures.
    private static String mappingWaste(long lengthBytes) {
        if (lengthBytes == Transfer.UNTIL_END || lengthBytes >= MmapWriteMover.WINDOW_BYTES) {
            return "copies every byte, and each window costs a map, its page faults and an unmap";
        }
        long mapped = (lengthBytes + PAGE_BYTES - 1) & -PAGE_BYTES;
        return "a map for " + lengthBytes + " bytes takes " + mapped + " (" + (mapped - lengthBytes)
                + " wasted), a call to make it, one to end it and page faults; worth it only if it is kept, as memory";
    }

    private static void betweenFiles(
            Draft draft, Kernel kernel, Endpoint.File source, Endpoint.File sink, long lengthBytes)
            throws ErrnoException {
        FileStatus from = kernel.files().status(source.descriptor());
        FileStatus to = kernel.files().status(sink.descriptor());
        if (from.device() == to.device() && from.inode() == to.inode() && overlap(source, sink, lengthBytes)) {
            throw new IllegalArgumentException(source.name() + " would be copied over itself: from byte "
                    + source.position() + " to byte " + sink.position());
        }
        long flags = ErrnoException.check(kernel.files().openFlags(sink.descriptor()), Call.FCNTL, sink.name());
        boolean appends = (flags & Files.O_APPEND) != 0;
        boolean sameSystem = from.device() == to.device();
        boolean toEnd = lengthBytes == Transfer.UNTIL_END || lengthBytes - from.sizeBytes() + source.position() >= 0;
        if (appends) {
            draft.ruleOut(Method.REFLINK, "the sink is open with O_APPEND");
            draft.ruleOut(Method.COPY_FILE_RANGE, "the sink is open with O_APPEND");
        } else if (!from.isRegularFile() || !to.isRegularFile()) {
            draft.ruleOut(Method.REFLINK, "only between regular files");
            draft.ruleOut(Method.COPY_FILE_RANGE, "only between regular files");
        } else {
            if (!sameSystem) {
                draft.ruleOut(Method.REFLINK, "the ends are on different file systems");
                draft.ruleOut(Method.COPY_FILE_RANGE, "the ends are on different file systems");
            } else {
                if (!toEnd && lengthBytes < PAGE_BYTES) {
                    draft.ruleOut(Method.REFLINK, "shares whole blocks only");
                } else {
                    draft.prefer(Method.REFLINK, "one call shares the extents, no byte is moved");
                }
                if (kernel.files().system(sink.descriptor()).isRemote()) {
                    draft.prefer(Method.COPY_FILE_RANGE, "the server may copy by itself");
                } else {
                    draft.ruleOut(Method.COPY_FILE_RANGE, IN_KERNEL_COPY);
                }
            }
        }
        draft.prefer(
                Method.READ_WRITE,
                "large pieces through a buffer that stays in the processor's cache; the page cache gets large folios");
        draft.ruleOut(Method.SENDFILE, IN_KERNEL_COPY);
        draft.ruleOut(Method.SPLICE, "one copy less, and work for each page: no cheaper in sum");
        draft.ruleOut(Method.MMAP_WRITE, "one copy less, and page faults and maps: dearer in sum");
    }

    private static boolean overlap(Endpoint.File source, Endpoint.File sink, long lengthBytes) {
        // Without a named length what is written would be read again, so that there would be no end.
        return lengthBytes == Transfer.UNTIL_END || Math.abs(source.position() - sink.position()) < lengthBytes;
    }

    private static void fromStream(Draft draft, Endpoint source, Endpoint sink) {
        boolean fromSocket = source.kind() == Kind.SOCKET;
        switch (sink.kind()) {
            case FILE -> {
                if (fromSocket) {
                    draft.prefer(
                            Method.READ_WRITE,
                            "two copies through a buffer that stays in the processor's cache cost less than page references and one copy");
                    draft.ruleOut(
                            Method.SPLICE,
                            "one copy less, but a pipe buffer and a page cache lookup for each 4 KiB page");
                    draft.ruleOut(
                            Method.ZEROCOPY_RECEIVE,
                            "page table changes for each page; needs a card with header splitting");
                } else {
                    draft.prefer(Method.SPLICE, "one call, one copy");
                    draft.prefer(Method.READ_WRITE, "always possible");
                }
            }
            case SOCKET, PIPE -> {
                draft.prefer(Method.SPLICE, "page references move, no copy by the processor");
                draft.prefer(Method.READ_WRITE, "always possible");
                if (fromSocket) {
                    draft.ruleOut(Method.ZEROCOPY_RECEIVE, "copies from the map; splice doesn't");
                }
            }
            case MEMORY -> draft.prefer(Method.READ, "the only way into memory of ours");
        }
    }

    private static void fromMemory(
            Draft draft, Kernel kernel, Endpoint.Memory source, Endpoint sink, long lengthBytes) {
        boolean onHeap = source.pieces().heapBytes() > 0;
        if (sink instanceof Endpoint.Socket socket) {
            if (onHeap) {
                draft.ruleOut(Method.ZEROCOPY_SEND, ON_HEAP);
            } else if (lengthBytes / Math.max(1, source.pieces().count()) < ZEROCOPY_BYTES) {
                draft.ruleOut(
                        Method.ZEROCOPY_SEND,
                        "below " + ZEROCOPY_BYTES + " bytes a piece pinning pages costs more than the copy");
            } else {
                NetworkPath path = NetworkPath.of(kernel, socket.descriptor());
                if (path.kind() == NetworkPath.Kind.DEVICE && path.scatterGather() != NetworkPath.Support.NO) {
                    draft.prefer(Method.ZEROCOPY_SEND, "the card reads our memory: " + path);
                } else {
                    draft.ruleOut(Method.ZEROCOPY_SEND, "the kernel copies all the same on this path: " + path);
                }
            }
        }
        draft.prefer(
                Method.WRITE, onHeap ? "one copy, and one before it of what lies on the heap" : "one call, one copy");
    }

    private void forgoRefused(Draft draft, Kernel kernel, Endpoint source, Endpoint sink) throws ErrnoException {
        if (refusals.isEmpty()) {
            return;
        }
        long from = device(kernel, source);
        long to = device(kernel, sink);
        for (Method method : List.copyOf(draft.order)) {
            Refusal refusal = refusals.get(new Key(method, from, to));
            if (refusal != null) {
                draft.forgo(
                        method,
                        refusal.call().kernelName() + " said " + Errno.describe(refusal.errno())
                                + ", between these ends, before");
            }
        }
    }

    /// Remembers that the system refused a method between such ends.
    void refused(Kernel kernel, Endpoint source, Endpoint sink, Method method, Refusal refusal) {
        if (refusals.size() >= MOST_REFUSALS) {
            return;
        }
        try {
            refusals.put(new Key(method, device(kernel, source), device(kernel, sink)), refusal);
        } catch (ErrnoException e) {
            // An end that can't be looked at isn't remembered; the next transfer asks again.
        }
    }

    /// File systems by their device, other ends by their kind (devices are not negative).
    private static long device(Kernel kernel, Endpoint end) throws ErrnoException {
        return end instanceof Endpoint.File file
                ? kernel.files().status(file.descriptor()).device()
                : -1 - end.kind().ordinal();
    }

    /// A plan in the making.
    private static final class Draft {
        private final List<Method> order = new ArrayList<>();
        private final List<String> reasons = new ArrayList<>();
        private final List<RuledOut> ruledOut = new ArrayList<>();

        void prefer(Method method, String reason) {
            order.add(method);
            reasons.add(reason);
        }

        void ruleOut(Method method, String why) {
            ruledOut.add(new RuledOut(method, why));
        }

        void forgo(Method method, String why) {
            int at = order.indexOf(method);
            if (order.size() > 1) {
                order.remove(at);
                reasons.remove(at);
                ruleOut(method, why);
            }
        }

        Plan finish(Optional<Method> asked) {
            if (asked.isPresent()) {
                List<Method> rest = new ArrayList<>(order);
                rest.remove(asked.get());
                return new Plan(asked.get(), "asked for", rest, ruledOut);
            }
            List<Method> rest = order.subList(1, order.size());
            return new Plan(
                    order.getFirst(),
                    reasons.getFirst(),
                    rest,
                    ruledOut.stream()
                            .filter(out -> !rest.contains(out.method()))
                            .toList());
        }
    }
}
