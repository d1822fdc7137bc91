package dev.sluice.systemtest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedThread;
import jdk.jfr.consumer.RecordingFile;

/// What a flight recording says of the heap that the event loops used.
///
/// @param loopBytes       allocated by the loops' threads, as far as the recording tells
/// @param largestArray    bytes of the largest array that a loop allocated outside a TLAB
/// @param largestArraysBy where it was
record HeapUse(long loopBytes, long largestArray, String largestArraysBy) {
    static HeapUse of(Path recording) throws IOException {
        Map<String, Long> byThread = new TreeMap<>();
        long largest = 0;
        String by = "none";
        try (RecordingFile file = new RecordingFile(recording)) {
            while (file.hasMoreEvents()) {
                RecordedEvent event = file.readEvent();
                switch (event.getEventType().getName()) {
                    case "jdk.ThreadAllocationStatistics" -> {
                        RecordedThread thread = event.getThread("thread");
                        if (isLoop(thread)) {
                            byThread.merge(thread.getJavaName(), event.getLong("allocated"), Math::max);
                        }
                    }
                    case "jdk.ObjectAllocationOutsideTLAB" -> {
                        if (isLoop(event.getThread()) && event.getLong("allocationSize") > largest) {
                            largest = event.getLong("allocationSize");
                            by = String.valueOf(event.getStackTrace());
                        }
                    }
                    default -> {}
                }
            }
        }
        long sum = byThread.values().stream().mapToLong(Long::longValue).sum();
        return new HeapUse(sum, largest, by);
    }

    private static boolean isLoop(RecordedThread thread) {
        return thread != null
                && thread.getJavaName() != null
                && thread.getJavaName().startsWith("sluice-loop");
    }
}
