package dev.sluice.io.transfer;

import dev.sluice.io.transfer.Endpoint.Kind;
import java.util.ArrayList;
import java.util.List;

/// What the kernel is known to do with a byte on its way, method by method: the table that copies are derived from.
///
/// Nothing here looks at a run. Each row names the kernel's function or the manual page that it rests on (Linux 6.x);
/// what it depends on (whether pages were cached, over which path a socket goes, whether extents are shared) is handed
/// in as [Circumstances].
public final class CopyModel {
    /// A place where bytes can lie.
    public enum Place {
        SOURCE_DEVICE("disk"),
        PAGE_CACHE("page cache"),
        BUFFER("our buffer"),
        MAPPING("our address space"),
        MEMORY("caller's memory"),
        PIPE("pipe"),
        RECEIVE_QUEUE("socket receive queue"),
        SEND_QUEUE("socket send queue"),
        INTERFACE("network interface"),
        SINK_PAGE_CACHE("sink's page cache"),
        SINK_DEVICE("sink's disk");

        private final String label;

        Place(String label) {
            this.label = label;
        }

        /// Its name in a picture or a table.
        public String label() {
            return label;
        }
    }

    /// Who carries bytes from one place to the next.
    public enum By {
        /// The processor copies them.
        CPU,
        /// A device copies them to or from memory by itself.
        DMA,
        /// Nobody: a reference to the page, the extent or the packet is handed over.
        REFERENCE
    }

    /// One move of a byte.
    ///
    /// @param share  the part of the transfer's bytes that made this move, 0 to 1
    /// @param later  whether it happens after the transfer, by write-back
    /// @param source the function of the kernel, or the manual page, that says so
    public record Hop(Place from, Place to, By by, double share, boolean later, String source) {}

    /// What a row depends on.
    ///
    /// @param cachedShare     the part of a source file that was in the page cache, 0 to 1
    /// @param sourcePath      the way of a source socket; any for other ends
    /// @param sinkPath        the way of a sink socket; any for other ends
    /// @param sharedShare     for copy_file_range, the part that came out as shared extents
    /// @param zerocopyShare   for zero-copy send and receive, the part that the kernel did not copy after all
    /// @param heapShare       for memory, the part that lies on the heap
    public record Circumstances(
            Kind source,
            Kind sink,
            double cachedShare,
            NetworkPath sourcePath,
            NetworkPath sinkPath,
            double sharedShare,
            double zerocopyShare,
            double heapShare) {
        /// The same with no memory on the heap.
        public Circumstances(
                Kind source,
                Kind sink,
                double cachedShare,
                NetworkPath sourcePath,
                NetworkPath sinkPath,
                double sharedShare,
                double zerocopyShare) {
            this(source, sink, cachedShare, sourcePath, sinkPath, sharedShare, zerocopyShare, 0);
        }

        /// All cached, paths unknown, no extents shared, zero copy honoured.
        public static Circumstances usual(Kind source, Kind sink) {
            return new Circumstances(source, sink, 1, NetworkPath.UNKNOWN, NetworkPath.UNKNOWN, 0, 1);
        }
    }

    private static final String STAGING =
            "Gathering: arrays on the heap move, so their bytes go through a native buffer";

    private final List<Hop> hops = new ArrayList<>();
    private final Method method;
    private final Circumstances given;

    private CopyModel(Method method, Circumstances given) {
        this.method = method;
        this.given = given;
    }

    /// The moves of a byte, in order.
    ///
    /// @throws IllegalArgumentException when the method doesn't serve these ends
    public static List<Hop> hops(Method method, Circumstances given) {
        if (!method.serves(given.source(), given.sink())) {
            throw new IllegalArgumentException(
                    method.label() + " doesn't move bytes from " + given.source() + " to " + given.sink());
        }
        CopyModel model = new CopyModel(method, given);
        model.build();
        return List.copyOf(model.hops);
    }

    /// Copies of a byte by the processor, on average over the transfer's bytes.
    public static double cpuCopies(List<Hop> hops) {
        return sum(hops, By.CPU);
    }

    /// Copies of a byte by devices; those that write-back makes later are among them.
    public static double dmaCopies(List<Hop> hops) {
        return sum(hops, By.DMA);
    }

    private static double sum(List<Hop> hops, By by) {
        return hops.stream()
                .filter(hop -> hop.by() == by)
                .mapToDouble(Hop::share)
                .sum();
    }

    private void build() {
        if (method == Method.REFLINK || method == Method.COPY_FILE_RANGE) {
            betweenFiles();
            return;
        }
        Place from = arrive();
        switch (method) {
            case READ_WRITE -> {
                hop(from, Place.BUFFER, By.CPU, reading());
                deposit(Place.BUFFER, By.CPU, writing());
            }
            case READ -> {
                hop(from, Place.MEMORY, By.CPU, reading());
                hop(Place.BUFFER, Place.MEMORY, By.CPU, given.heapShare(), false, STAGING);
            }
            case WRITE -> {
                hop(Place.MEMORY, Place.BUFFER, By.CPU, given.heapShare(), false, STAGING);
                deposit(Place.MEMORY, By.CPU, writing());
            }
            case MMAP_WRITE -> {
                hop(from, Place.MAPPING, By.REFERENCE, "filemap_map_pages: page tables point to the cache's pages");
                deposit(Place.MAPPING, By.CPU, writing());
            }
            case SENDFILE, SPLICE -> throughPipe(from);
            case ZEROCOPY_SEND -> zerocopySend(from);
            case ZEROCOPY_RECEIVE -> zerocopyReceive(from);
            default -> throw new AssertionError(method);
        }
    }

    private void hop(Place from, Place to, By by, String source) {
        hop(from, to, by, 1, false, source);
    }

    private void hop(Place from, Place to, By by, double share, boolean later, String source) {
        if (share > 0) {
            hops.add(new Hop(from, to, by, share, later, source));
        }
    }

    /// How bytes come to where the first call finds them.
    private Place arrive() {
        return switch (given.source()) {
            case FILE -> {
                hop(
                        Place.SOURCE_DEVICE,
                        Place.PAGE_CACHE,
                        By.DMA,
                        1 - given.cachedShare(),
                        false,
                        "filemap_get_pages, page_cache_ra_order: the device reads into the page cache; not for cached pages, not on tmpfs");
                yield Place.PAGE_CACHE;
            }
            case SOCKET -> {
                switch (given.sourcePath().kind()) {
                    case DEVICE, UNKNOWN ->
                        hop(
                                Place.INTERFACE,
                                Place.RECEIVE_QUEUE,
                                By.DMA,
                                "the device's driver: receive ring to packets");
                    case LOOPBACK, VIRTUAL ->
                        hop(
                                Place.INTERFACE,
                                Place.RECEIVE_QUEUE,
                                By.REFERENCE,
                                "loopback_xmit, veth_xmit: the sender's packet itself is queued");
                    case UNIX -> {}
                }
                yield Place.RECEIVE_QUEUE;
            }
            case PIPE -> Place.PIPE;
            case MEMORY -> Place.MEMORY;
        };
    }

    private String reading() {
        return switch (given.source()) {
            case FILE -> "filemap_read: copy_page_to_iter";
            case SOCKET -> "tcp_recvmsg_locked: skb_copy_datagram_iter";
            case PIPE -> "anon_pipe_read (pipe_read before): copy_page_to_iter";
            case MEMORY -> throw new AssertionError("memory isn't read by a call");
        };
    }

    private String writing() {
        return switch (given.sink()) {
            case FILE -> "generic_perform_write, iomap_write_iter: copy_folio_from_iter_atomic";
            case SOCKET -> "tcp_sendmsg_locked: skb_copy_to_page_nocache";
            case PIPE -> "anon_pipe_write (pipe_write before): copy_page_from_iter";
            case MEMORY -> throw new AssertionError("memory isn't written by a call");
        };
    }

    /// From the last place in our hands into the sink, and what the sink's own device does then.
    private void deposit(Place from, By by, String source) {
        switch (given.sink()) {
            case SOCKET -> {
                hop(from, Place.SEND_QUEUE, by, source);
                transmit();
            }
            case FILE -> {
                hop(from, Place.SINK_PAGE_CACHE, by, source);
                writeBack();
            }
            case PIPE -> hop(from, Place.PIPE, by, source);
            case MEMORY -> throw new AssertionError("memory isn't written by a call");
        }
    }

    private void transmit() {
        NetworkPath path = given.sinkPath();
        if (path.kind() == NetworkPath.Kind.UNIX) {
            return;
        }
        if (path.scatterGather() == NetworkPath.Support.NO) {
            hop(
                    Place.SEND_QUEUE,
                    Place.SEND_QUEUE,
                    By.CPU,
                    "validate_xmit_skb: skb_segment and skb_copy_bits put the pieces together, the interface has no scatter-gather");
        }
        if (path.kind() == NetworkPath.Kind.LOOPBACK || path.kind() == NetworkPath.Kind.VIRTUAL) {
            hop(
                    Place.SEND_QUEUE,
                    Place.INTERFACE,
                    By.REFERENCE,
                    "loopback_xmit, veth_xmit: the packet itself is queued at the receiver, who copies");
        } else {
            hop(Place.SEND_QUEUE, Place.INTERFACE, By.DMA, "the device's driver: fragments to transmit ring");
        }
    }

    private void writeBack() {
        hop(
                Place.SINK_PAGE_CACHE,
                Place.SINK_DEVICE,
                By.DMA,
                1,
                true,
                "writeback: do_writepages, later, unless the file is deleted before; never on tmpfs");
    }

    private void throughPipe(Place from) {
        Place at = from;
        if (from != Place.PIPE) {
            String why = given.source() == Kind.FILE
                    ? "filemap_splice_read: splice_folio_into_pipe"
                    : "tcp_splice_read: skb_splice_bits (what lies in a packet's linear part is copied, linear_to_page)";
            hop(from, Place.PIPE, By.REFERENCE, why);
            at = Place.PIPE;
        }
        switch (given.sink()) {
            case SOCKET -> deposit(at, By.REFERENCE, "splice_to_socket: sendmsg with MSG_SPLICE_PAGES");
            case FILE ->
                deposit(
                        at,
                        By.CPU,
                        "iter_file_splice_write: pages are written, not moved (SPLICE_F_MOVE does nothing, splice(2))");
            case PIPE -> {
                if (given.source() == Kind.PIPE) {
                    hop(at, Place.PIPE, By.REFERENCE, "splice_pipe_to_pipe");
                }
            }
            case MEMORY -> throw new AssertionError("not served");
        }
    }

    private void zerocopySend(Place from) {
        Place at = from;
        if (from == Place.PAGE_CACHE) {
            hop(from, Place.BUFFER, By.CPU, reading());
            at = Place.BUFFER;
        }
        hop(
                at,
                Place.SEND_QUEUE,
                By.REFERENCE,
                "tcp_sendmsg_locked: zerocopy_fill_skb_from_iter takes references to the pages");
        hop(
                Place.SEND_QUEUE,
                Place.SEND_QUEUE,
                By.CPU,
                1 - given.zerocopyShare(),
                false,
                "skb_orphan_frags_rx, skb_copy_ubufs: copied after all, and the completion says COPIED");
        transmit();
    }

    private void zerocopyReceive(Place from) {
        hop(
                from,
                Place.MAPPING,
                By.REFERENCE,
                given.zerocopyShare(),
                false,
                "tcp_zerocopy_receive: vm_insert_pages puts the packets' pages into our map");
        hop(
                from,
                Place.BUFFER,
                By.CPU,
                1 - given.zerocopyShare(),
                false,
                "can_map_frag said no: copied by tcp_zerocopy_receive's copybuf or recv");
        deposit(given.zerocopyShare() > 0.5 ? Place.MAPPING : Place.BUFFER, By.CPU, writing());
    }

    private void betweenFiles() {
        if (method == Method.REFLINK) {
            hop(
                    Place.SOURCE_DEVICE,
                    Place.SINK_DEVICE,
                    By.REFERENCE,
                    "ioctl_ficlonerange(2), remap_file_range: extents are shared (dirty pages of the source are written first)");
            return;
        }
        double copied = 1 - given.sharedShare();
        hop(
                Place.SOURCE_DEVICE,
                Place.SINK_DEVICE,
                By.REFERENCE,
                given.sharedShare(),
                false,
                "vfs_copy_file_range calls remap_file_range first: extents are shared");
        if (copied > 0) {
            hop(
                    Place.SOURCE_DEVICE,
                    Place.PAGE_CACHE,
                    By.DMA,
                    (1 - given.cachedShare()) * copied,
                    false,
                    "filemap_get_pages: the device reads into the page cache; not for cached pages, not on tmpfs");
            hop(
                    Place.PAGE_CACHE,
                    Place.SINK_PAGE_CACHE,
                    By.CPU,
                    copied,
                    false,
                    "vfs_copy_file_range: splice_file_range, iter_file_splice_write");
            hop(
                    Place.SINK_PAGE_CACHE,
                    Place.SINK_DEVICE,
                    By.DMA,
                    copied,
                    true,
                    "writeback: do_writepages, later; never on tmpfs");
        }
    }
}
