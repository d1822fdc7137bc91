package dev.sluice.log;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// Appends until it is killed, and says each time what was acknowledged: the process that [KillTest] kills.
///
/// Producer 1 sends batch number n with the sequence numbers and a content that follow from n, so that the parent can
/// tell what it should find.
final class CrashingBroker {
    static final int RECORDS = 2;

    private CrashingBroker() {}

    static Batches numbered(long number) {
        return Batches.batch()
                .records(RECORDS)
                .valueBytes((int) (number * 37 % 700))
                .seed(number)
                .timestamp(Batches.T0 + number)
                .producer(1, 0, Math.toIntExact(number * RECORDS));
    }

    static LogConfig config() {
        return LogConfig.DEFAULT.withSegmentBytes(50_000).withIndexIntervalBytes(300);
    }

    /// @param arguments the data folder; the number of the batch in whose append to halt, or -1
    public static void main(String[] arguments) throws IOException {
        Folder folder = new Folder(Path.of(arguments[0]));
        long haltIn = Long.parseLong(arguments[1]);
        folder.config = config();
        LogDirectory directory = folder.open();
        PartitionLog log = directory.log("t", 0).orElse(null);
        if (log == null) {
            log = directory.create("t", 0, Folder.TOPIC_ID, folder.config);
        }
        PrintStream acknowledged = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
        for (long number = log.logEndOffset() / RECORDS; ; number++) {
            if (number == haltIn) {
                haltWithinTheWrite(folder);
            }
            if (!(log.append(numbered(number).view()) instanceof AppendOutcome.Appended)) {
                Runtime.getRuntime().halt(3);
            }
            acknowledged.println(number);
        }
    }

    /// The next write gets 50 bytes into the file, and then there is no process any more.
    private static void haltWithinTheWrite(Folder folder) {
        folder.faults.whenCalled(
                dev.sluice.io.linux.Call.PWRITE,
                ".log",
                1,
                () -> Runtime.getRuntime().halt(2));
        folder.faults.shorten(dev.sluice.io.linux.Call.PWRITE, ".log", 50);
    }
}
