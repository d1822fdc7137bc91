package dev.sluice.bench.shared;

import dev.sluice.bench.tools.Ratios;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/// What one way has cost at one size, over all rounds.
final class Result {
    /// Round trips of at most a minute, to three digits.
    private static final long MOST_NS = 60_000_000_000L;

    private static final double GIB = 1 << 30;

    final Way way;
    final int messageBytes;
    final Histogram roundTripsNs = new Histogram(MOST_NS, 3);
    private final List<Stream> streams = new ArrayList<>();

    Result(Way way, int messageBytes) {
        this.way = way;
        this.messageBytes = messageBytes;
    }

    /// Messages in a row, in one direction.
    ///
    /// @param used by both processes together
    record Stream(long messages, long elapsedNs, Endpoint.Used used) {}

    void add(Stream stream) {
        streams.add(stream);
    }

    private double median(ToDoubleFunction<Stream> figure) {
        return Ratios.median(streams.stream().mapToDouble(figure).toArray());
    }

    double messagesPerSecond() {
        return median(stream -> stream.messages() * 1e9 / stream.elapsedNs());
    }

    private double bytes(Stream stream) {
        return (double) stream.messages() * messageBytes;
    }

    double gigabytesPerSecond() {
        return median(stream -> bytes(stream) / stream.elapsedNs());
    }

    double cpuSecondsPerGib() {
        return median(stream -> stream.used().cpuNs() / 1e9 / (bytes(stream) / GIB));
    }

    double copiesPerByte() {
        return median(stream -> stream.used().carriedBytes() / bytes(stream));
    }

    double callsPerMessage() {
        return median(stream -> (double) stream.used().calls() / stream.messages());
    }

    static String header() {
        return """
                | bytes | way | messages/s | GB/s | CPU s/GiB, both | CPU copies a byte | calls a message | round trip µs: 50% | 99% | 99.9% | most |
                |---|---|---|---|---|---|---|---|---|---|---|""";
    }

    String row() {
        return String.format(
                Locale.ROOT,
                "| %d | %s | %.0f | %.3f | %.3f | %.2f | %.3f | %.1f | %.1f | %.1f | %.0f |",
                messageBytes,
                way.title,
                messagesPerSecond(),
                gigabytesPerSecond(),
                cpuSecondsPerGib(),
                copiesPerByte(),
                callsPerMessage(),
                roundTripsNs.getValueAtPercentile(50) / 1e3,
                roundTripsNs.getValueAtPercentile(99) / 1e3,
                roundTripsNs.getValueAtPercentile(99.9) / 1e3,
                roundTripsNs.getMaxValue() / 1e3);
    }

    /// As JSON has them.
    Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("way", way.title);
        fields.put("messageBytes", messageBytes);
        fields.put("messagesPerSecond", messagesPerSecond());
        fields.put("gigabytesPerSecond", gigabytesPerSecond());
        fields.put("cpuSecondsPerGib", cpuSecondsPerGib());
        fields.put("cpuCopiesPerByte", copiesPerByte());
        fields.put("callsPerMessage", callsPerMessage());
        fields.put("rounds", streams.size());
        fields.put("roundTrips", roundTripsNs.getTotalCount());
        for (String percentile : List.of("50", "90", "99", "99.9", "100")) {
            long ns = roundTripsNs.getValueAtPercentile(Double.parseDouble(percentile));
            fields.put("roundTripUsP" + percentile, ns / 1e3);
        }
        return fields;
    }
}
