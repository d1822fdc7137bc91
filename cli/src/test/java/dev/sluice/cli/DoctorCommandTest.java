package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.doctor.Doctor;
import dev.sluice.cli.doctor.Finding;
import dev.sluice.cli.doctor.Finding.Grade;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The doctor's findings, on this machine and on one where a gate refuses what it asks for.
@Timeout(180)
class DoctorCommandTest {
    @TempDir
    Path folder;

    private static Map<String, Finding> byWhat(List<Finding> findings) {
        return findings.stream().collect(Collectors.toMap(Finding::what, finding -> finding));
    }

    @Test
    void tellsOfEachPartAndLeavesNothingBehind() throws Exception {
        SluiceRun run = SluiceRun.of("doctor", folder.toString());

        assertThat(run.exitCode()).isIn(0, 1);
        assertThat(run.err()).isEmpty();
        assertThat(run.out())
                .contains("kernel ", "io_uring", "kernel TLS", "zero-copy receive", "MSG_ZEROCOPY")
                .contains("descriptors", "locked memory", "memory maps", "pipe size", "file leases", "interface lo")
                .contains(folder + ": file system", folder + ": shared extents", folder + ": direct I/O");
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void theJsonSaysTheSame() throws Exception {
        SluiceRun run = SluiceRun.of("doctor", "--json", folder.toString());

        List<Object> findings = Json.array(Json.parse(run.out()));
        assertThat(findings).hasSizeGreaterThan(15);
        for (Object finding : findings) {
            assertThat(Json.object(finding)).containsOnlyKeys("what", "found", "grade", "todo");
        }
    }

    @Test
    void whatIsRefusedIsToldAsSuch() {
        Kernel refusing = new Kernel((call, _, _, lengthBytes) -> switch (call) {
            case IO_URING_SETUP -> -Errno.EPERM;
            case IOCTL -> -Errno.EOPNOTSUPP;
            case PRLIMIT -> -Errno.EPERM;
            case SETSOCKOPT -> -Errno.ENOENT;
            case FCNTL -> -Errno.EINVAL;
            default -> lengthBytes;
        });
        Map<String, Finding> findings = byWhat(Doctor.examine(refusing, List.of(folder)));

        assertThat(findings.get("io_uring").grade()).isEqualTo(Grade.ABSENT);
        assertThat(findings.get("io_uring").found()).contains("EPERM");
        assertThat(findings.get("kernel TLS").found()).isEqualTo("not in this kernel");
        assertThat(findings.get("interface lo").grade()).isEqualTo(Grade.UNKNOWN);
        assertThat(findings.get("descriptors (ulimit -n)").grade()).isEqualTo(Grade.UNKNOWN);
        assertThat(findings.get(folder + ": shared extents").found()).isEqualTo("not offered");
        assertThat(findings.get(folder + ": lease").found()).contains("EINVAL");
    }

    @Test
    void aPathThatIsNotThereIsSaidAndTheOthersAreLookedAt() {
        Path missing = folder.resolve("missing");
        Map<String, Finding> findings = byWhat(Doctor.examine(new Kernel(), List.of(missing, folder)));

        assertThat(findings.get(missing + ": file system").found()).isEqualTo("no such path");
        assertThat(findings).containsKey(folder + ": direct I/O");
    }
}
