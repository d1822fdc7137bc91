package dev.sluice.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.doctor.Finding.Grade;
import dev.sluice.io.linux.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What the doctor makes of machines that this one isn't.
@Timeout(180)
class FindingsTest {
    @Test
    void oldKernelsAreToBeUpdated() {
        assertThat(KernelFindings.version("4.19.0-amd64").grade()).isEqualTo(Grade.CHANGE);
        assertThat(KernelFindings.version("5.15.0").todo()).contains("STATX_DIOALIGN");
        assertThat(KernelFindings.version("6.1.0-13-amd64").grade()).isEqualTo(Grade.GOOD);
        assertThat(KernelFindings.version("12.0").grade()).isEqualTo(Grade.GOOD);
        assertThat(KernelFindings.version("").grade()).isEqualTo(Grade.UNKNOWN);
    }

    @Test
    void kernelTlsIsThereWhenAFreshSocketIsOnlyNotConnected() {
        assertThat(KernelFindings.tls(-Errno.ENOTCONN).grade()).isEqualTo(Grade.GOOD);
        assertThat(KernelFindings.tls(-Errno.ENOENT).grade()).isEqualTo(Grade.ABSENT);
        assertThat(KernelFindings.tls(-Errno.EPERM).grade()).isEqualTo(Grade.UNKNOWN);
    }

    @Test
    void anInterfaceThatWantsWholePacketsCopies() {
        assertThat(NetworkFindings.of("eth0", 0).grade()).isEqualTo(Grade.CHANGE);
        assertThat(NetworkFindings.of("eth0", 0).todo()).contains("ethtool -K eth0 sg on");
        assertThat(NetworkFindings.of("eth0", 1).grade()).isEqualTo(Grade.GOOD);
    }

    @Test
    void settingsOfTheKernelAreReadWhole() throws Exception {
        Process cat = new ProcessBuilder("cat", "/proc/sys/vm/max_map_count").start();
        String expected = new String(cat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
        assertThat(expected).hasSizeGreaterThan(1);
        assertThat(ProcFile.number(Path.of("/proc/sys/vm/max_map_count"))).hasValue(Long.parseLong(expected));
    }

    @Test
    void thePageSizeIsTheOneThatTheKernelTellsPrograms() {
        ByteBuffer auxv = ByteBuffer.allocate(48).order(ByteOrder.nativeOrder());
        auxv.putLong(33).putLong(7).putLong(6).putLong(4096).putLong(0).putLong(0);
        Finding usual = KernelFindings.pages(auxv.array(), "always [madvise] never");
        assertThat(usual.grade()).isEqualTo(Grade.GOOD);
        assertThat(usual.found()).isEqualTo("4,096 B; transparent huge pages: madvise");
        assertThat(KernelFindings.pages(auxv.putLong(24, 65_536).array(), "").grade())
                .isEqualTo(Grade.CHANGE);
    }

    @Test
    void foliosAreToldWhereTheKernelShowsThem() {
        TreeMap<Long, Long> large = new TreeMap<>(Map.of(4096L, 2L, 524_288L, 1L));
        assertThat(PathFindings.folios("x", 130, large).found()).isEqualTo("up to 512 KiB, 3 for 1024 KiB");
        assertThat(PathFindings.folios("x", 256, new TreeMap<>(Map.of(4096L, 256L)))
                        .grade())
                .isEqualTo(Grade.ABSENT);
        assertThat(PathFindings.folios("x", -Errno.EACCES, new TreeMap<>()).grade())
                .isEqualTo(Grade.UNKNOWN);
    }

    @Test
    void aDeviceIsPolledOnlyWhereItsQueueSaysSo(@TempDir Path queue) throws Exception {
        assertThat(PathFindings.polled("x", queue).grade()).isEqualTo(Grade.UNKNOWN);
        Files.writeString(queue.resolve("io_poll"), "0\n");
        assertThat(PathFindings.polled("x", queue).found()).isEqualTo("by interrupt");
        Files.writeString(queue.resolve("io_poll"), "1\n");
        assertThat(PathFindings.polled("x", queue).grade()).isEqualTo(Grade.GOOD);
    }

    @Test
    void lowLimitsSayWhatToSet() {
        Finding low = LimitFindings.limit("descriptors (ulimit -n)", 1024, 65_536, "raise it");
        assertThat(low.grade()).isEqualTo(Grade.CHANGE);
        assertThat(low.found()).isEqualTo("1,024");
        assertThat(LimitFindings.limit("x", Long.MAX_VALUE, 65_536, "raise it").found())
                .isEqualTo("no limit");
        assertThat(LimitFindings.setting("x", Path.of("/proc/no/such"), 1, "set it")
                        .grade())
                .isEqualTo(Grade.UNKNOWN);
        assertThat(LimitFindings.leases(OptionalLong.of(0), OptionalLong.of(45)).todo())
                .contains("fs.leases-enable=1");
    }
}
