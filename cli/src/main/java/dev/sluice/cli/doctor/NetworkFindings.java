package dev.sluice.cli.doctor;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Each interface: whether it takes packets in pieces, so that sendfile need not copy.
final class NetworkFindings {
    private NetworkFindings() {}

    static List<Finding> of(Kernel kernel, Path interfaces) {
        List<Finding> findings = new ArrayList<>();
        InetSocketAddress loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (Stream<Path> names = Files.list(interfaces);
                Descriptor socket = kernel.sockets().stream(loopback, true, Account.root("doctor"))
                        .orThrow()) {
            for (Path path : names.sorted().toList()) {
                if (Files.isDirectory(path)) { // bonding_masters is a file among them
                    String name = path.getFileName().toString();
                    findings.add(of(name, kernel.interfaces().scatterGather(socket, name)));
                }
            }
        } catch (ErrnoException e) {
            findings.add(Finding.unknown("interfaces", e.getMessage(), "nothing can be said of them"));
        } catch (IOException e) {
            findings.add(Finding.unknown("interfaces", "no " + interfaces, "nothing can be said of them"));
        }
        return findings;
    }

    static Finding of(String name, long scatterGather) {
        String what = "interface " + name;
        if (scatterGather < 0) {
            return Finding.unknown(
                    what, Errno.describe((int) -scatterGather), "whether sendfile copies there isn't known");
        }
        return scatterGather == 1
                ? Finding.good(what, "scatter-gather on", "sendfile is sent without a copy by the processor")
                : Finding.change(
                        what,
                        "scatter-gather off",
                        "ethtool -K " + name
                                + " sg on, if its driver can: without it the kernel copies what sendfile sends");
    }
}
