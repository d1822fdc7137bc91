package dev.sluice.bench.broker;

import java.util.List;

/// What servers are given to do.
///
/// @param name       as the user calls it
/// @param kind       what the load program does
/// @param options    of the load program
/// @param unit       what the cost is told per
/// @param partitions of the topic
/// @param chunkBytes what the limit moves a call; 0 where it moves none: it answers small requests then, or there is
///                   no limit to compare with
record Work(String name, Kind kind, List<String> options, Unit unit, int partitions, int chunkBytes) {
    enum Kind {
        PRODUCE("produce"),
        /// Of a topic that was filled before, and lies in the page cache.
        FETCH("fetch"),
        /// The same with the page cache emptied before. Needs root.
        COLD("fetch"),
        END_TO_END("e2e"),
        /// The same for some seconds, and then once more while another consumer reads what is not in the page
        /// cache.
        LAGGARD("e2e");

        final String program;

        Kind(String program) {
            this.program = program;
        }
    }

    enum Unit {
        GIB,
        REQUEST
    }

    private static final int MOST_INGEST_CONNECTIONS = 4;

    static final List<Work> ALL = List.of(
            produce("produce-64k", 65_536),
            produce("produce-256k", 262_144),
            produce("produce-1m", 1_000_000),
            new Work(
                    "produce-single",
                    Kind.PRODUCE,
                    List.of("batch=1", "connections=64", "depth=1", "requests=200000"),
                    Unit.REQUEST,
                    12,
                    0),
            spread("produce-12", 12),
            spread("produce-1000", 1000),
            new Work("fetch-1m", Kind.FETCH, List.of("batch=65536", "max=1048576"), Unit.GIB, 1, 1 << 20),
            new Work("fetch-64k", Kind.FETCH, List.of("batch=16384", "max=65536"), Unit.GIB, 1, 64 << 10),
            new Work(
                    "fetch-4k",
                    Kind.FETCH,
                    List.of("batch=3500", "max=4096", "connections=8", "requests=200000"),
                    Unit.REQUEST,
                    1,
                    0),
            new Work("fetch-cold", Kind.COLD, List.of("batch=65536", "max=1048576"), Unit.GIB, 1, 0),
            new Work("fetch-cold-8", Kind.COLD, List.of("batch=65536", "max=1048576", "connections=8"), Unit.GIB, 1, 0),
            new Work("end-to-end", Kind.END_TO_END, List.of("requests=5000"), Unit.REQUEST, 1, 0),
            new Work("laggard", Kind.LAGGARD, List.of("seconds=8"), Unit.REQUEST, 1, 0));

    private static Work produce(String name, int batchBytes) {
        return new Work(name, Kind.PRODUCE, List.of("batch=" + batchBytes), Unit.GIB, 1, batchBytes);
    }

    /// Batches of 16 KiB, dealt out to the partitions in turn over four connections.
    private static Work spread(String name, int partitions) {
        return new Work(
                name,
                Kind.PRODUCE,
                List.of("batch=16384", "connections=4", "partitions=" + partitions),
                Unit.GIB,
                partitions,
                0);
    }

    /// Batches of one size, dealt out to the partitions in turn.
    static Work ingest(int batchBytes, int partitions) {
        int connections = Math.min(partitions, MOST_INGEST_CONNECTIONS);
        return new Work(
                "produce, batches of " + batchBytes + " bytes, partitions " + partitions,
                Kind.PRODUCE,
                List.of("batch=" + batchBytes, "connections=" + connections, "partitions=" + partitions),
                Unit.GIB,
                partitions,
                batchBytes);
    }

    static Work of(String name) {
        return ALL.stream()
                .filter(work -> work.name.equals(name))
                .findAny()
                .orElseThrow(() -> new IllegalArgumentException("No work is called " + name + ": "
                        + String.join(", ", ALL.stream().map(Work::name).toList())));
    }

    /// What the load program is told to do.
    String program() {
        return kind.program;
    }

    boolean isFetch() {
        return kind == Kind.FETCH || kind == Kind.COLD;
    }

    /// Whether it is small requests, whose number counts.
    boolean isSmallRequests() {
        return unit == Unit.REQUEST && (kind == Kind.PRODUCE || kind == Kind.FETCH);
    }

    /// How many read the whole topic, each by itself.
    long consumers() {
        return kind == Kind.COLD && options.contains("connections=8") ? 8 : 1;
    }

    /// What the limit program does in its place, where that moves bytes.
    String limit() {
        return isFetch() ? "dispatch" : "ingest";
    }

    /// How the load program is told to fill the topic before a fetch.
    List<String> fill() {
        return options.stream().filter(option -> option.startsWith("batch=")).toList();
    }
}
