package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.NetworkPath.Support;
import dev.sluice.testbase.Commands;
import dev.sluice.testbase.RequiresProgram;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Over an interface that isn't loopback: a veth pair whose other end is in a network namespace, with a process of ours
/// there.
@Tag("root")
@RequiresProgram("ip")
class VethTest {
    private static final long LENGTH = 5_000_003;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private final String id = Long.toString(ProcessHandle.current().pid(), 36);
    private final String namespace = "sluice-" + id;
    private final String here = "slh" + id;
    private final String there = "slt" + id;
    private final String net = "10.251." + (ProcessHandle.current().pid() % 250) + ".";
    private boolean made;
    private Process drainer;
    private BufferedReader said;
    private int port;

    @BeforeEach
    void makeNetwork() throws Exception {
        Commands.assume("ip", "netns", "add", namespace);
        made = true;
        Commands.assume("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", namespace);
        Commands.assume("ip", "addr", "add", net + "1/24", "dev", here);
        Commands.assume("ip", "link", "set", here, "up");
        Commands.assume("ip", "-n", namespace, "addr", "add", net + "2/24", "dev", there);
        Commands.assume("ip", "-n", namespace, "link", "set", there, "up");
        List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        command.addAll(Commands.java(List.of("-Xmx64m"), DrainerMain.class, net + "2"));
        drainer = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        said = new BufferedReader(new InputStreamReader(drainer.getInputStream(), StandardCharsets.UTF_8));
        port = Integer.parseInt(said.readLine());
    }

    @AfterEach
    void removeNetwork() throws Exception {
        if (drainer != null) {
            drainer.getOutputStream().close();
            drainer.waitFor();
        }
        if (made) {
            // At once; a namespace takes its links along only some time later. There may be none yet.
            Commands.outcome(List.of("ip", "link", "del", here));
            Commands.run("ip", "netns", "del", namespace);
        }
    }

    private Endpoint.Socket connect() throws Exception {
        return Endpoint.connect(
                kernel, new InetSocketAddress(InetAddress.ofLiteral(net + "2"), port), true, 0, kernel.account());
    }

    private TransferAccount sent(Transfers transfers, EndType source, Method method) throws Exception {
        try (Rig rig = new Rig(kernel, folder, source, EndType.MEMORY, true, LENGTH, 0, 0)) {
            TransferAccount account;
            try (Endpoint.Socket sink = connect();
                    Transfer transfer =
                            transfers.begin(rig.source, sink, LENGTH, TransferOptions.DEFAULT.only(method))) {
                transfer.run();
                account = transfer.account();
            }
            assertThat(Long.parseLong(said.readLine())).as("%s", method).isEqualTo(LENGTH);
            return account;
        }
    }

    @Test
    void thePathIsSeen() throws Exception {
        try (Endpoint.Socket socket = connect()) {
            NetworkPath path = NetworkPath.of(kernel, socket.descriptor());
            assertThat(path.kind()).isEqualTo(NetworkPath.Kind.VIRTUAL);
            assertThat(path.interfaceName()).isEqualTo(here);
            assertThat(path.scatterGather()).isEqualTo(Support.YES);
            assertThat(path.peer()).isEqualTo(net + "2:" + port);
        }
        said.readLine();
    }

    @Test
    void withoutScatterGatherEveryMethodArrivesAndCopiesOnceMore() throws Exception {
        try (Transfers transfers = new Transfers(kernel)) {
            for (Method method : List.of(Method.READ_WRITE, Method.MMAP_WRITE, Method.SENDFILE, Method.SPLICE)) {
                setScatterGather(true);
                TransferAccount with = sent(transfers, EndType.FILE, method);
                assertThat(with.cpuCopies().source()).contains(here + ", scatter-gather on");
                setScatterGather(false);
                TransferAccount without = sent(transfers, EndType.FILE, method);
                assertThat(without.cpuCopies().source()).contains(here + ", scatter-gather off");
                assertThat(without.cpuCopies().value())
                        .isEqualTo(with.cpuCopies().value() + 1);
            }
        }
    }

    @Test
    void zeroCopySendsIntoAnotherNamespaceAreCopiedAndSayso() throws Exception {
        try (Transfers transfers = new Transfers(kernel)) {
            TransferAccount account = sent(transfers, EndType.MEMORY, Method.ZEROCOPY_SEND);
            assertThat(account.copiedAfterAllBytes().value()).isEqualTo(LENGTH);
            try (Rig rig = new Rig(kernel, folder, EndType.MEMORY, EndType.MEMORY, true, LENGTH, 0, 0);
                    Endpoint.Socket sink = connect()) {
                Plan plan = transfers.plan(rig.source, sink, LENGTH, TransferOptions.DEFAULT);
                assertThat(plan.method()).isEqualTo(Method.WRITE);
                assertThat(plan.ruledOut())
                        .anySatisfy(out -> assertThat(out.why()).contains("virtual interface " + here));
            }
            said.readLine();
        }
    }

    private void setScatterGather(boolean on) throws Exception {
        try (Descriptor socket = kernel.sockets().stream(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), true, kernel.account())
                .orThrow()) {
            assertThat(kernel.interfaces().setScatterGather(socket, here, on)).isGreaterThanOrEqualTo(0);
            assertThat(kernel.interfaces().scatterGather(socket, here)).isEqualTo(on ? 1 : 0);
        }
    }
}
