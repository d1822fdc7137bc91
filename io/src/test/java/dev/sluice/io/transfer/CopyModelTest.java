package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.transfer.CopyModel.Circumstances;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Endpoint.Kind;
import dev.sluice.io.transfer.NetworkPath.Support;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The table that copies are derived from, held against what the literature counts for a cold file sent over a network
/// card.
class CopyModelTest {
    private static final NetworkPath CARD = new NetworkPath(NetworkPath.Kind.DEVICE, "eth0", Support.YES, "peer:1");
    private static final NetworkPath CARD_WITHOUT_SG =
            new NetworkPath(NetworkPath.Kind.DEVICE, "eth0", Support.NO, "peer:1");
    private static final NetworkPath LOOPBACK = new NetworkPath(NetworkPath.Kind.LOOPBACK, "lo", Support.YES, "peer:1");

    private static List<Hop> coldFileTo(NetworkPath path, Method method) {
        return CopyModel.hops(method, new Circumstances(Kind.FILE, Kind.SOCKET, 0, NetworkPath.UNKNOWN, path, 0, 1));
    }

    /// Method; CPU and DMA copies with scatter-gather; CPU copies without.
    @ParameterizedTest
    @CsvSource({
        "READ_WRITE, 2, 2, 3", //
        "MMAP_WRITE, 1, 2, 2",
        "SENDFILE, 0, 2, 1",
        "SPLICE, 0, 2, 1",
        "ZEROCOPY_SEND, 1, 2, 2"
    })
    void aColdFileOverACard(Method method, double cpu, double dma, double cpuWithoutScatterGather) {
        List<Hop> hops = coldFileTo(CARD, method);
        assertThat(CopyModel.cpuCopies(hops)).isEqualTo(cpu);
        assertThat(CopyModel.dmaCopies(hops)).isEqualTo(dma);
        assertThat(CopyModel.cpuCopies(coldFileTo(CARD_WITHOUT_SG, method))).isEqualTo(cpuWithoutScatterGather);
        assertThat(CopyModel.dmaCopies(coldFileTo(CARD_WITHOUT_SG, method))).isEqualTo(dma);
    }

    @Test
    void aCachedFileIsNotReadFromItsDevice() {
        Circumstances half = new Circumstances(Kind.FILE, Kind.SOCKET, 0.5, NetworkPath.UNKNOWN, LOOPBACK, 0, 1);
        assertThat(CopyModel.dmaCopies(CopyModel.hops(Method.SENDFILE, half))).isEqualTo(0.5);
    }

    @Test
    void loopbackHasNoDma() {
        assertThat(CopyModel.dmaCopies(CopyModel.hops(
                        Method.READ_WRITE,
                        new Circumstances(Kind.FILE, Kind.SOCKET, 1, NetworkPath.UNKNOWN, LOOPBACK, 0, 1))))
                .isZero();
    }

    @Test
    void zeroCopyThatTheKernelCopiedAfterAllIsACopy() {
        Circumstances copied = new Circumstances(Kind.MEMORY, Kind.SOCKET, 1, NetworkPath.UNKNOWN, LOOPBACK, 0, 0);
        assertThat(CopyModel.cpuCopies(CopyModel.hops(Method.ZEROCOPY_SEND, copied)))
                .isEqualTo(1);
        Circumstances card = new Circumstances(Kind.MEMORY, Kind.SOCKET, 1, NetworkPath.UNKNOWN, CARD, 0, 1);
        assertThat(CopyModel.cpuCopies(CopyModel.hops(Method.ZEROCOPY_SEND, card)))
                .isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "READ_WRITE, 2", //
        "MMAP_WRITE, 1",
        "SENDFILE, 1",
        "SPLICE, 1",
        "COPY_FILE_RANGE, 1",
        "REFLINK, 0"
    })
    void fromFileToFile(Method method, double cpu) {
        List<Hop> hops = CopyModel.hops(method, Circumstances.usual(Kind.FILE, Kind.FILE));
        assertThat(CopyModel.cpuCopies(hops)).isEqualTo(cpu);
        // What write-back moves later is told apart.
        assertThat(hops.stream().filter(Hop::later).count()).isEqualTo(method == Method.REFLINK ? 0 : 1);
    }

    @Test
    void aCopyThatCameOutSharedIsNone() {
        Circumstances shared =
                new Circumstances(Kind.FILE, Kind.FILE, 1, NetworkPath.UNKNOWN, NetworkPath.UNKNOWN, 1, 1);
        List<Hop> hops = CopyModel.hops(Method.COPY_FILE_RANGE, shared);
        assertThat(CopyModel.cpuCopies(hops)).isZero();
        assertThat(CopyModel.dmaCopies(hops)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"READ_WRITE, 2", "SPLICE, 1", "ZEROCOPY_RECEIVE, 1"})
    void fromSocketToFile(Method method, double cpu) {
        assertThat(CopyModel.cpuCopies(CopyModel.hops(method, Circumstances.usual(Kind.SOCKET, Kind.FILE))))
                .isEqualTo(cpu);
    }

    @Test
    void aProxyBySpliceCopiesNothing() {
        assertThat(CopyModel.cpuCopies(CopyModel.hops(Method.SPLICE, Circumstances.usual(Kind.SOCKET, Kind.SOCKET))))
                .isZero();
    }

    @Test
    void everyRowThatAMethodServesNamesItsSourcesAndIsOneWay() {
        for (Method method : Method.values()) {
            for (Kind source : Kind.values()) {
                for (Kind sink : Kind.values()) {
                    if (!method.serves(source, sink)) {
                        assertThatThrownBy(() -> CopyModel.hops(method, Circumstances.usual(source, sink)))
                                .isInstanceOf(IllegalArgumentException.class);
                        continue;
                    }
                    List<Hop> hops = CopyModel.hops(method, Circumstances.usual(source, sink));
                    assertThat(hops).as("%s %s to %s", method, source, sink).isNotEmpty();
                    assertThat(hops).allSatisfy(hop -> assertThat(hop.source()).isNotBlank());
                    for (int i = 1; i < hops.size(); i++) {
                        assertThat(hops.get(i).from())
                                .as("%s %s to %s, move %d", method, source, sink, i)
                                .isEqualTo(hops.get(i - 1).to());
                    }
                }
            }
        }
    }
}
