package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.BatchBuilder;
import dev.sluice.log.Identity;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.PartitionLog;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class CheckCommandTest {
    @TempDir
    Path temporary;

    private Path data;
    private Path segment;

    private LogDirectory open() throws IOException {
        return LogDirectory.open(
                new Kernel(),
                data,
                new Identity("MkU3OEVBNTcwNTJENDM2Qk", 1),
                LogConfig.DEFAULT,
                InstantSource.system(),
                Account.root("segments"));
    }

    @BeforeEach
    void aStoppedBrokersFolder() throws IOException {
        data = temporary.resolve("data");
        segment = data.resolve("t-0").resolve("00000000000000000000.log");
        try (LogDirectory directory = open()) {
            PartitionLog log = directory.create("t", 0, new UUID(1, 2), LogConfig.DEFAULT);
            BatchBuilder batch = new BatchBuilder();
            for (int i = 0; i < 3; i++) {
                batch.clear();
                batch.add(i, null, "value".getBytes(StandardCharsets.UTF_8));
                log.append(batch.build());
            }
        }
    }

    private SluiceRun check(String... more) {
        String[] arguments = new String[2 + more.length];
        arguments[0] = "check";
        arguments[1] = data.toString();
        System.arraycopy(more, 0, arguments, 2, more.length);
        return SluiceRun.of(arguments);
    }

    private void flip(long position) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
            file.seek(position);
            int old = file.read();
            file.seek(position);
            file.write(old ^ 1);
        }
    }

    @Test
    void nothingFoundIsExitCodeZeroAndNoLine() {
        SluiceRun run = check();
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains("1 partition, 1 segment, 3 batches").contains("stopped cleanly: nothing found");
        assertThat(check("--repair").exitCode()).isZero();
    }

    @Test
    void aDamageInTheMiddleIsOneLineWithFileAndByteAndExitCodeFour() throws IOException {
        flip(70);
        SluiceRun run = check();
        assertThat(run.exitCode()).isEqualTo(4);
        assertThat(run.out().lines()).hasSize(1);
        assertThat(run.out()).startsWith(segment + ": byte 0: CRC ").contains("the record at offset 0 can't be read");
        assertThat(check("--repair").exitCode()).isEqualTo(4);
    }

    @Test
    void aWrongIndexIsExitCodeThreeAndZeroAfterARepair() throws IOException {
        java.nio.file.Files.delete(data.resolve("t-0").resolve("00000000000000000000.index"));
        assertThat(check().exitCode()).isEqualTo(3);
        SluiceRun repaired = check("--repair");
        assertThat(repaired.exitCode()).isZero();
        assertThat(repaired.err()).contains("repaired: ");
        assertThat(check().out()).isEmpty();
    }

    @Test
    void aFolderThatCannotBeCheckedIsExitCodeOneAndOneLine() throws IOException {
        try (LogDirectory _ = open()) {
            SluiceRun held = check("--repair");
            assertThat(held.exitCode()).isEqualTo(1);
            assertThat(held.err()).isEqualTo("sluice: a broker holds " + data + "; stop it, then check\n");
        }
        assertThat(SluiceRun.of("check", temporary.resolve("none").toString()).err())
                .contains("no such folder");
        assertThat(SluiceRun.of("check", temporary.toString()).exitCode()).isEqualTo(1);
    }
}
