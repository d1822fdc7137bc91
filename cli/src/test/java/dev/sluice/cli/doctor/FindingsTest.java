package dev.sluice.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.doctor.Finding.Grade;
import dev.sluice.io.linux.Errno;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What the doctor makes of machines that this one isn't.
@Timeout(30)
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
