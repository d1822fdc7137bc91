package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.Commands;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A process that appends dies in the middle of it, for real; what it had acknowledged is there.
class KillTest {
    @TempDir
    Path temporary;

    private static Process start(Path data, long haltIn) throws IOException {
        return new ProcessBuilder(Commands.java(
                        List.of("-Xmx128m", "-XX:TieredStopAtLevel=1"),
                        CrashingBroker.class,
                        data.toString(),
                        Long.toString(haltIn)))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /// Everything that was acknowledged is there, in order, whole, once; and the producer's retry of the last
    /// ones is known.
    private static long verify(Folder folder, long lastAcknowledged) throws IOException {
        PartitionLog log = folder.log("t", 0);
        long batches = log.logEndOffset() / CrashingBroker.RECORDS;
        // What was written and not acknowledged any more may be there: at most the one that was under way.
        assertThat(batches).isBetween(lastAcknowledged + 1, lastAcknowledged + 2);
        for (long number = 0; number < batches; number++) {
            BatchView view = Batches.view(folder.read(log, number * CrashingBroker.RECORDS, 1));
            BatchView expected = CrashingBroker.numbered(number).view();
            expected.patch(number * CrashingBroker.RECORDS, 0);
            assertThat(Batches.bytesOf(view)).isEqualTo(Batches.bytesOf(expected));
        }
        for (long number = Math.max(0, batches - ProducerState.BATCHES); number < batches; number++) {
            long base = number * CrashingBroker.RECORDS;
            assertThat(log.append(CrashingBroker.numbered(number).view()))
                    .isEqualTo(new AppendOutcome.Duplicate(base, base + CrashingBroker.RECORDS - 1, -1, 0));
        }
        return batches;
    }

    @Test
    void killedAtAnyMomentNothingAcknowledgedIsLost() throws IOException, InterruptedException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Path data = temporary.resolve("data");
        for (int cycle = 0; cycle < 5; cycle++) {
            Process broker = start(data, -1);
            long last = -1;
            try (BufferedReader acknowledged = broker.inputReader()) {
                int lines = 1 + random.nextInt(1500);
                String line;
                for (int i = 0; i < lines && (line = acknowledged.readLine()) != null; i++) {
                    last = Long.parseLong(line);
                }
                broker.toHandle().destroyForcibly(); // SIGKILL, and the pipe stays readable
                while ((line = acknowledged.readLine()) != null) {
                    last = Long.parseLong(line); // it was said before the end
                }
            }
            assertThat(broker.waitFor()).as("seed %d: died otherwise", seed).isEqualTo(128 + 9);

            Folder folder = new Folder(data);
            folder.config = CrashingBroker.config();
            folder.open();
            assertThat(folder.directory().recoveryReport().clean()).isFalse();
            verify(folder, last);
            if (random.nextBoolean()) {
                folder.close();
            } else {
                folder.directory().abandon();
            }
        }
    }

    @Test
    void deadWithinAWriteTheTornBatchIsCutOff() throws IOException, InterruptedException {
        Path data = temporary.resolve("data");
        Process broker = start(data, 100);
        long last = -1;
        try (BufferedReader acknowledged = broker.inputReader()) {
            String line;
            while ((line = acknowledged.readLine()) != null) {
                last = Long.parseLong(line);
            }
        }
        assertThat(broker.waitFor()).isEqualTo(2);
        assertThat(last).isEqualTo(99);

        try (Folder folder = new Folder(data)) {
            folder.config = CrashingBroker.config();
            folder.open();

            RecoveryReport.Cut cut = folder.report(folder.log("t", 0)).cut();
            assertThat(cut).isNotNull();
            assertThat(cut.bytes()).isEqualTo(50);
            assertThat(verify(folder, 99)).isEqualTo(100);
        }
    }
}
