package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.NetworkPath.Kind;
import dev.sluice.io.transfer.NetworkPath.Support;
import org.junit.jupiter.api.Test;

/// Which way a socket's bytes go. Paths over interfaces are in [VethTest].
class NetworkPathTest {
    private final Kernel kernel = new Kernel();

    @Test
    void aConnectionToOurselvesGoesOverLo() throws Exception {
        Descriptor[] pair = Rig.tcpPair(kernel, kernel, true);
        NetworkPath path = NetworkPath.of(kernel, pair[0]);
        assertThat(path.kind()).isEqualTo(Kind.LOOPBACK);
        assertThat(path.interfaceName()).isEqualTo("lo");
        assertThat(path.scatterGather()).isEqualTo(Support.YES);
        assertThat(path.peer()).startsWith("127.0.0.1:");
        assertThat(path).hasToString("loopback (lo, scatter-gather on)");
        pair[0].close();
        pair[1].close();
    }

    @Test
    void aUnixSocketHasNoInterface() throws Exception {
        Descriptor[] pair = kernel.sockets().pair(true, kernel.account());
        assertThat(NetworkPath.of(kernel, pair[0]).kind()).isEqualTo(Kind.UNIX);
        pair[0].close();
        pair[1].close();
    }

    @Test
    void aClosedSocketHasNoPath() throws Exception {
        Descriptor[] pair = Rig.tcpPair(kernel, kernel, true);
        pair[0].close();
        pair[1].close();
        assertThat(NetworkPath.of(kernel, pair[0])).isEqualTo(NetworkPath.UNKNOWN);
    }
}
