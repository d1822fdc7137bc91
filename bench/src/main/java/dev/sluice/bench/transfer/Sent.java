package dev.sluice.bench.transfer;

import java.util.Map;
import java.util.TreeMap;

/// What a sender said of one transfer: `sent BYTES PROCESS_NS THREAD_NS WALL_NS [CPU_COPIES CALL=COUNT,…]`.
///
/// @param bytes     sent
/// @param processNs user and system time of the sender's process meanwhile: a JVM's own threads are in it
/// @param threadNs  of the sending thread alone (with Netty, of the thread that waits)
/// @param wallNs    from the first call to the last one's end
/// @param cpuCopies copies of each byte by the processor that the account derives; -1 when there is no account
/// @param calls     system calls that the account counted, by the kernel's name; empty when there is none
record Sent(long bytes, long processNs, long threadNs, long wallNs, double cpuCopies, Map<String, Long> calls) {
    static Sent parse(String line) {
        String[] words = line.split(" ");
        if (words.length < 5 || !words[0].equals("sent")) {
            throw new IllegalStateException("A sender answered: " + line);
        }
        Map<String, Long> calls = new TreeMap<>();
        if (words.length > 6) {
            for (String count : words[6].split(",")) {
                int equals = count.indexOf('=');
                calls.put(count.substring(0, equals), Long.parseLong(count.substring(equals + 1)));
            }
        }
        return new Sent(
                Long.parseLong(words[1]),
                Long.parseLong(words[2]),
                Long.parseLong(words[3]),
                Long.parseLong(words[4]),
                words.length > 5 ? Double.parseDouble(words[5]) : -1,
                calls);
    }

    double processSecondsPerGib() {
        return perGib(processNs);
    }

    double threadSecondsPerGib() {
        return perGib(threadNs);
    }

    private double perGib(long ns) {
        return ns / 1e9 / (bytes / (double) (1L << 30));
    }
}
