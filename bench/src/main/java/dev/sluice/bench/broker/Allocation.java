package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;

/// What a server's JVM has allocated so far, by thread, as Flight Recorder tells: bytes of objects, on the heap.
///
/// Between two readings threads must neither begin nor end that matter; what the recorder and its command allocate is
/// left out.
record Allocation(Map<Long, Long> bytesByThread) {
    static Allocation read(Server server) throws IOException, InterruptedException {
        Path file = Files.createTempFile("sluice-bench", ".jfr");
        try {
            String jcmd =
                    Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
            String pid = Long.toString(server.pid());
            tell(
                    jcmd,
                    pid,
                    "JFR.start",
                    "name=allocation",
                    "settings=none",
                    "+jdk.ThreadAllocationStatistics#enabled=true",
                    "+jdk.ThreadAllocationStatistics#period=everyChunk");
            tell(jcmd, pid, "JFR.stop", "name=allocation", "filename=" + file);
            Map<Long, Long> bytes = new HashMap<>();
            for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
                if (event.getEventType().getName().equals("jdk.ThreadAllocationStatistics")
                        && event.getThread("thread") != null
                        && !isRecorders(event.getThread("thread").getJavaName())) {
                    bytes.merge(event.getThread("thread").getJavaThreadId(), event.getLong("allocated"), Math::max);
                }
            }
            if (bytes.isEmpty()) {
                throw new IOException("Flight Recorder told nothing of the threads of process " + pid);
            }
            return new Allocation(Map.copyOf(bytes));
        } finally {
            Files.delete(file);
        }
    }

    private static boolean isRecorders(@Nullable String thread) {
        return thread == null || thread.startsWith("JFR") || thread.startsWith("Attach Listener");
    }

    private static void tell(String... command) throws IOException, InterruptedException {
        Tools.Ended ended = Tools.run(List.of(command));
        if (ended.exitCode() != 0) {
            throw new IOException(String.join(" ", command) + ": " + ended.output());
        }
    }

    /// Bytes that were allocated from `before` until this reading.
    long since(Allocation before) {
        return bytesByThread.entrySet().stream()
                .mapToLong(thread -> thread.getValue() - before.bytesByThread.getOrDefault(thread.getKey(), 0L))
                .sum();
    }
}
