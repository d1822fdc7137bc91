package dev.sluice.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A broker's account of what it moved, as it came in its JSON. Fields that this version does not know are passed over,
/// fields that are missing count as empty: an older command can talk to a newer broker, and the other way round.
///
/// @param problems    what an operator should know first, a sentence each
/// @param local       who reads in place
/// @param connections the open ones; the total has the closed ones too
/// @param segments    those of the partitions shown; the total is of all there were
record StatusReport(
        Broker broker,
        List<String> problems,
        Local local,
        List<Count> connectionTotal,
        List<Item> connections,
        List<Count> segmentTotal,
        List<Partition> partitions,
        List<Durability> durability,
        List<Item> segments) {
    record Broker(String version, long uptimeMs, String dataDir, String flush) {}

    /// Reading in place.
    ///
    /// @param socket where; empty for nowhere
    record Local(String socket, List<LocalReader> readers) {}

    /// A partition that a program of the broker's host has open.
    ///
    /// @param segment      base offset of the segment that it holds
    /// @param segmentBytes of that
    /// @param isExpired    whether the broker has deleted that segment, which the reader keeps on the disk
    record LocalReader(
            long process,
            long user,
            String topic,
            long partition,
            long segment,
            long segmentBytes,
            boolean isExpired) {}

    /// What one system call carried.
    record Count(String call, long calls, long errors, long bytes) {}

    /// What one partition holds.
    ///
    /// @param bytes of its segments on disk
    record Partition(String topic, long partition, long logStartOffset, long logEndOffset, long bytes) {}

    /// What of one partition is on the device.
    ///
    /// @param flush          its flush policy
    /// @param highWatermark  below it everything is acknowledged
    /// @param flushedOffset  below it everything is on the device
    /// @param flushes        how often its appends were flushed
    /// @param flushedBatches batches that waited for that
    /// @param failure        why it takes no more appends, or empty
    record Durability(
            String topic,
            long partition,
            String flush,
            long highWatermark,
            long flushedOffset,
            long flushes,
            long flushedBatches,
            long flushNs,
            long longestFlushNs,
            String failure) {}

    /// One open connection, or one segment of a partition.
    record Item(String name, List<Count> counts) {}

    static StatusReport parse(String json) throws CommandFailure {
        Map<String, Object> root = Json.object(Json.parse(json));
        Map<String, Object> broker = Json.object(root.get("broker"));
        Map<String, Object> connections = Json.object(root.get("connections"));
        Map<String, Object> segments = Json.object(root.get("segments"));

        List<Item> open = new ArrayList<>();
        for (Object connection : Json.array(connections.get("open"))) {
            Map<String, Object> fields = Json.object(connection);
            open.add(new Item(Json.text(fields.get("name")), counts(fields.get("calls"))));
        }
        List<Partition> partitions = new ArrayList<>();
        List<Durability> durability = new ArrayList<>();
        List<Item> parts = new ArrayList<>();
        for (Object item : Json.array(segments.get("topics"))) {
            Map<String, Object> fields = Json.object(item);
            Partition partition = new Partition(
                    Json.text(fields.get("topic")),
                    Json.number(fields.get("partition")),
                    Json.number(fields.get("logStartOffset")),
                    Json.number(fields.get("logEndOffset")),
                    Json.number(fields.get("bytes")));
            partitions.add(partition);
            durability.add(durability(partition, fields));
            String prefix = partition.topic() + "-" + partition.partition() + "/";
            for (Object segment : Json.array(fields.get("segments"))) {
                Map<String, Object> inner = Json.object(segment);
                parts.add(new Item(prefix + Json.text(inner.get("name")), counts(inner.get("calls"))));
            }
        }
        List<String> problems = new ArrayList<>();
        for (Object problem : Json.array(root.get("problems"))) {
            problems.add(Json.text(problem));
        }
        return new StatusReport(
                new Broker(
                        Json.text(broker.get("version")),
                        Json.number(broker.get("uptimeMs")),
                        Json.text(broker.get("dataDir")),
                        Json.text(broker.get("flush"))),
                List.copyOf(problems),
                local(Json.object(root.get("local"))),
                counts(connections.get("total")),
                List.copyOf(open),
                counts(segments.get("total")),
                List.copyOf(partitions),
                List.copyOf(durability),
                List.copyOf(parts));
    }

    private static Local local(Map<String, Object> local) throws CommandFailure {
        List<LocalReader> readers = new ArrayList<>();
        for (Object item : Json.array(local.get("readers"))) {
            Map<String, Object> fields = Json.object(item);
            readers.add(new LocalReader(
                    Json.number(fields.get("process")),
                    Json.number(fields.get("user")),
                    Json.text(fields.get("topic")),
                    Json.number(fields.get("partition")),
                    Json.number(fields.get("segment")),
                    Json.number(fields.get("segmentBytes")),
                    Boolean.TRUE.equals(fields.get("isExpired"))));
        }
        return new Local(Json.text(local.get("socket")), List.copyOf(readers));
    }

    private static Durability durability(Partition partition, Map<String, Object> fields) throws CommandFailure {
        return new Durability(
                partition.topic(),
                partition.partition(),
                Json.text(fields.get("flush")),
                Json.number(fields.get("highWatermark")),
                Json.number(fields.get("flushedOffset")),
                Json.number(fields.get("flushes")),
                Json.number(fields.get("flushedBatches")),
                Json.number(fields.get("flushNs")),
                Json.number(fields.get("longestFlushNs")),
                Json.text(fields.get("failure")));
    }

    /// Those that carried most first.
    private static List<Count> counts(@Nullable Object calls) throws CommandFailure {
        List<Count> counts = new ArrayList<>();
        for (Map.Entry<String, Object> entry : Json.object(calls).entrySet()) {
            Map<String, Object> fields = Json.object(entry.getValue());
            counts.add(new Count(
                    entry.getKey(),
                    Json.number(fields.get("calls")),
                    Json.number(fields.get("errors")),
                    Json.number(fields.get("bytes"))));
        }
        counts.sort(Comparator.comparingLong(Count::bytes)
                .thenComparingLong(Count::calls)
                .reversed()
                .thenComparing(Count::call));
        return List.copyOf(counts);
    }
}
