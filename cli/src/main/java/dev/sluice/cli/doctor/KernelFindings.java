package dev.sluice.cli.doctor;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.linux.Ring;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.linux.Submission;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The kernel's version and what of it may be used here: io_uring, kernel TLS, zero-copy on sockets.
final class KernelFindings {
    private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+)");
    private static final int TCP_ZEROCOPY_RECEIVE = 35;
    private static final long AT_PAGESZ = 6; // elf.h
    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

    private KernelFindings() {}

    static List<Finding> of(Kernel kernel, Path proc) {
        List<Finding> findings = new ArrayList<>();
        findings.add(version(ProcFile.text(proc.resolve("sys/kernel/osrelease"))));
        findings.add(Finding.good("JDK", Runtime.version().toString(), "25 or newer is needed"));
        findings.add(pages(ProcFile.bytes(proc.resolve("self/auxv")), ProcFile.text(HUGE_PAGES)));
        findings.addAll(ioUring(kernel, proc));
        findings.add(slices(kernel));
        Sockets sockets = kernel.sockets();
        Account account = Account.root("doctor");
        InetSocketAddress loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (Descriptor socket = sockets.stream(loopback, true, account).orThrow()) {
            findings.add(tls(kernel.kernelTls().attach(socket)));
            findings.add(zerocopySend(sockets.setOption(socket, Sockets.SOL_SOCKET, Sockets.SO_ZEROCOPY, 1)));
            // Asked with a struct that is too short: EINVAL from those that know the option.
            findings.add(zerocopyReceive(sockets.getOption(socket, Sockets.IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE)));
        } catch (ErrnoException e) {
            findings.add(Finding.change("sockets", e.getMessage(), "without sockets nothing can be served"));
        }
        return findings;
    }

    static Finding version(String release) {
        Matcher version = VERSION.matcher(release);
        if (!version.find()) {
            return Finding.unknown("kernel", release.isEmpty() ? "not told" : release, "Linux 5.11 or newer is needed");
        }
        int number = Integer.parseInt(version.group(1)) * 1000 + Integer.parseInt(version.group(2));
        if (number < 5_011) {
            return Finding.change(
                    "kernel", "Linux " + release, "update to 6.1 or newer; io_uring is of no use before 5.11");
        }
        if (number < 6_001) {
            return Finding.change(
                    "kernel", "Linux " + release, "6.1 or newer tells the alignment of direct I/O (STATX_DIOALIGN)");
        }
        return Finding.good("kernel", "Linux " + release, "everything here may be asked of it");
    }

    private static Finding slices(Kernel kernel) {
        try {
            return slices(kernel.scheduling().ofThread().sliceNs());
        } catch (ErrnoException e) {
            return Finding.unknown("short turns of the loops", e.getMessage(), "loops are scheduled as any thread");
        }
    }

    /// @param sliceNs of a thread that has asked for none; 0 when the kernel knows none
    static Finding slices(long sliceNs) {
        return sliceNs == 0
                ? Finding.absent(
                        "short turns of the loops",
                        "not granted",
                        "Linux 6.12 or newer: who waits for what is in memory is served sooner beside cold readers")
                : Finding.good("short turns of the loops", "granted", "who waits for what is in memory is served soon");
    }

    /// @param auxv what the kernel tells each program at its start: pairs of words, a type and a value
    ///             (getauxval(3))
    static Finding pages(byte[] auxv, String hugePages) {
        ByteBuffer words = ByteBuffer.wrap(auxv).order(ByteOrder.nativeOrder());
        long pageBytes = 0;
        while (words.remaining() >= 2 * Long.BYTES && pageBytes == 0) {
            long type = words.getLong();
            long value = words.getLong();
            pageBytes = type == AT_PAGESZ ? value : 0;
        }
        String chosen = hugePages.replaceAll(".*\\[(\\w+)].*", "$1");
        String found = String.format(Locale.ROOT, "%,d B", pageBytes)
                + (chosen.isEmpty() ? "" : "; transparent huge pages: " + chosen);
        return pageBytes == Mappings.PAGE_BYTES
                ? Finding.good("memory pages", found, "the least that a map, a fault or a copy on write takes")
                : Finding.change("memory pages", found, "use a kernel with pages of 4 KiB: others are not tried");
    }

    private static List<Finding> ioUring(Kernel kernel, Path proc) {
        try (Ring ring = kernel.ioUrings().open(8, new Ring.Traits(true, false), Account.root("doctor"))) {
            return List.of(
                    Finding.good("io_uring", "works", "direct I/O uses it"),
                    ring.isOffered(Submission.RECV_ZC)
                            ? Finding.good(
                                    "io_uring receive",
                                    "zero-copy offered",
                                    "not used: it wants a queue of a card that splits headers to itself")
                            : Finding.absent(
                                    "io_uring receive", "no zero-copy", "Linux 6.15 or newer has it; not used here"));
        } catch (ErrnoException e) {
            long disabled = ProcFile.number(proc.resolve("sys/kernel/io_uring_disabled"))
                    .orElse(0);
            return List.of(Finding.absent(
                    "io_uring",
                    Errno.describe(e.errno()),
                    disabled > 0
                            ? "sysctl kernel.io_uring_disabled=0 allows it; until then threads do direct I/O"
                            : "a container's seccomp filter may forbid it; until it is allowed threads do direct I/O"));
        }
    }

    static Finding tls(long attached) {
        return switch ((int) -attached) {
            case 0, Errno.ENOTCONN ->
                Finding.good("kernel TLS", "offered", "sendfile can encrypt once a handshake has handed over its keys");
            case Errno.ENOENT ->
                Finding.absent(
                        "kernel TLS",
                        "not in this kernel",
                        "modprobe tls; where there is no such module, a kernel with CONFIG_TLS, as most distributions"
                                + " have; until then encryption reads and writes");
            default -> Finding.unknown("kernel TLS", Errno.describe((int) -attached), "encryption reads and writes");
        };
    }

    static Finding zerocopySend(long set) {
        return set >= 0
                ? Finding.good(
                        "MSG_ZEROCOPY",
                        "offered",
                        "pays from about 10 KiB a send, and never over loopback, which copies")
                : Finding.absent("MSG_ZEROCOPY", Errno.describe((int) -set), "Linux 4.14 or newer has it");
    }

    static Finding zerocopyReceive(long asked) {
        return asked == -Errno.ENOPROTOOPT
                ? Finding.absent(
                        "zero-copy receive", "not offered", "Linux 4.18 or newer has it; bytes are received by copy")
                : Finding.good(
                        "zero-copy receive",
                        "offered",
                        "maps pages only of cards that split headers, at an MTU of"
                                + " 4096 + headers; nothing over loopback");
    }
}
