package dev.sluice.systemtest;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// How often a crash has left the ends of a folder's logs in a state that recovery has to tell from a loss: counted, so
/// that one sees whether a campaign has come to it. Owned by one thread.
final class CrashEnds {
    /// As many zeros as a batch's head has bytes are the end of no batch.
    private static final int HEAD_BYTES = 61;

    private int zeros;
    private int cut;

    /// Looks at a folder that nobody has opened since the crash.
    void crashed(Path data) throws IOException {
        for (int partition = 0; partition < CrashLoad.PARTITIONS; partition++) {
            if (endsInZeros(data.resolve(CrashClient.TOPIC + "-" + partition))) {
                zeros++;
                return;
            }
        }
    }

    /// Hears what the start after the crash has told.
    void started(String screen) {
        if (screen.contains("cut ")) {
            cut++;
        }
    }

    private static boolean endsInZeros(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return false; // a power cut took its name
        }
        List<Path> logs;
        try (Stream<Path> files = Files.list(folder)) {
            logs = files.filter(file -> file.toString().endsWith(".log"))
                    .sorted()
                    .toList();
        }
        if (logs.isEmpty()) {
            return false;
        }
        try (RandomAccessFile file = new RandomAccessFile(logs.getLast().toFile(), "r")) {
            if (file.length() < HEAD_BYTES) {
                return false;
            }
            file.seek(file.length() - HEAD_BYTES);
            for (int i = 0; i < HEAD_BYTES; i++) {
                if (file.read() != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    /// Crashes after which a log ended in zeros: what the engine had written ahead, or a device had left.
    int zeros() {
        return zeros;
    }

    /// Crashes after which something was cut off.
    int cut() {
        return cut;
    }
}
