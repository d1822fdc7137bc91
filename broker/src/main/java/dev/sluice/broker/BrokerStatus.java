package dev.sluice.broker;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.config.LiveConfig;
import dev.sluice.broker.local.LocalReaderStatus;
import dev.sluice.broker.local.LocalServer;
import dev.sluice.broker.net.DiskStall;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.log.FlushCounts;
import dev.sluice.log.PartitionLog;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// What the broker moved so far, by method and with how many calls, as JSON.
final class BrokerStatus {
    private final LiveConfig config;
    private final Catalogue catalogue;
    private final Account connections;
    private final Account segments;
    private final String engine;
    private final BooleanSupplier diskFull;
    private final @Nullable LocalServer local;
    private final DiskStall disk;
    private final long startedNs;
    private final JsonFactory json = new JsonFactory();

    /// @param engine   how records get to the disk
    /// @param diskFull whether writing fails for want of space
    /// @param local    who takes local readers; null when nobody does
    /// @param disk     whether it holds up who writes to it
    BrokerStatus(
            LiveConfig config,
            Catalogue catalogue,
            Account connections,
            Account segments,
            String engine,
            BooleanSupplier diskFull,
            @Nullable LocalServer local,
            DiskStall disk,
            long startedNs) {
        this.config = config;
        this.catalogue = catalogue;
        this.connections = connections;
        this.segments = segments;
        this.engine = engine;
        this.diskFull = diskFull;
        this.local = local;
        this.disk = disk;
        this.startedNs = startedNs;
    }

    /// @param topic the one to tell of; null for all
    String json(@Nullable String topic) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = json.createGenerator(ObjectWriteContext.empty(), text)) {
            out.writeStartObject();
            out.writeObjectPropertyStart("broker");
            out.writeStringProperty("version", Version.CURRENT);
            out.writeNumberProperty("uptimeMs", (System.nanoTime() - startedNs) / 1_000_000);
            out.writeStringProperty(
                    "dataDir",
                    config.now().dataDir().toAbsolutePath().normalize().toString());
            out.writeStringProperty("flush", config.now().log().describeFlushPolicy());
            out.writeStringProperty("engine", engine);
            out.writeEndObject();

            out.writeObjectPropertyStart("disk");
            out.writeNumberProperty("stalls", disk.stalls());
            out.writeNumberProperty("longestStallMs", disk.longestMs());
            out.writeEndObject();

            out.writeArrayPropertyStart("problems");
            problems().forEach(out::writeString);
            out.writeEndArray();

            writeLocal(out);

            out.writeObjectPropertyStart("connections");
            writeCalls(out, "total", connections);
            out.writeArrayPropertyStart("open");
            for (Account connection : sorted(connections)) {
                writeAccount(out, connection);
            }
            out.writeEndArray();
            out.writeEndObject();

            out.writeObjectPropertyStart("segments");
            writeCalls(out, "total", segments);
            out.writeArrayPropertyStart("topics");
            catalogue.image().topics().stream()
                    .filter(known -> topic == null || known.name().equals(topic))
                    .sorted(Comparator.comparing(Topic::name))
                    .forEach(known -> writeTopic(out, known));
            out.writeEndArray();
            out.writeEndObject();
            out.writeEndObject();
        }
        return text.toString();
    }

    private void writeLocal(JsonGenerator out) {
        if (local == null) {
            return;
        }
        out.writeObjectPropertyStart("local");
        out.writeStringProperty("socket", local.path().toString());
        out.writeArrayPropertyStart("readers");
        for (LocalReaderStatus reader : local.readers()) {
            out.writeStartObject();
            out.writeNumberProperty("process", reader.pid());
            out.writeNumberProperty("user", reader.uid());
            out.writeStringProperty("topic", reader.topic());
            out.writeNumberProperty("partition", reader.partition());
            out.writeNumberProperty("segment", reader.segmentBaseOffset());
            out.writeNumberProperty("segmentBytes", reader.segmentBytes());
            out.writeBooleanProperty("isExpired", reader.isExpired());
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    /// What an operator should know first, a sentence each; of all topics, whichever was asked for.
    private List<String> problems() {
        List<String> problems = new ArrayList<>();
        if (disk.isStalled()) {
            problems.add(
                    "The disk of " + config.now().dataDir().toAbsolutePath().normalize() + " has stalled for "
                            + disk.stalledForMs() + " ms: what is produced waits for it, or for its time-out");
        }
        if (diskFull.getAsBoolean()) {
            problems.add(
                    "The disk of " + config.now().dataDir().toAbsolutePath().normalize()
                            + " is full: what is produced is refused until there is room");
        }
        for (Topic topic : catalogue.image().topics()) {
            for (Partition partition : topic.partitions()) {
                partition.log().readProblem().ifPresent(problems::add);
                partition.log().flushProblem().ifPresent(problems::add);
            }
        }
        return problems;
    }

    private static void writeTopic(JsonGenerator out, Topic topic) {
        for (Partition partition : topic.partitions()) {
            out.writeStartObject();
            out.writeStringProperty("topic", topic.name());
            out.writeNumberProperty("partition", partition.index());
            out.writeNumberProperty("logStartOffset", partition.log().logStartOffset());
            out.writeNumberProperty("logEndOffset", partition.log().logEndOffset());
            writeDurability(out, partition.log());
            out.writeNumberProperty("bytes", partition.log().bytesOnDisk());
            writeCalls(out, "calls", partition.log().account());
            out.writeArrayPropertyStart("segments");
            for (Account segment : sorted(partition.log().account())) {
                writeAccount(out, segment);
            }
            out.writeEndArray();
            out.writeEndObject();
        }
    }

    private static void writeDurability(JsonGenerator out, PartitionLog log) {
        FlushCounts counts = log.flushCounts();
        out.writeStringProperty("flush", log.config().describeFlushPolicy());
        out.writeNumberProperty("highWatermark", log.highWatermark());
        out.writeNumberProperty("flushedOffset", log.recoveryPoint());
        out.writeNumberProperty("flushes", counts.flushes());
        out.writeNumberProperty("flushedBatches", counts.batches());
        out.writeNumberProperty("flushNs", counts.totalNs());
        out.writeNumberProperty("longestFlushNs", counts.longestNs());
        log.failure().ifPresent(failure -> out.writeStringProperty("failure", failure.message()));
    }

    private static List<Account> sorted(Account parent) {
        return parent.children().stream()
                .sorted(Comparator.comparing(Account::name))
                .toList();
    }

    private static void writeAccount(JsonGenerator out, Account account) {
        out.writeStartObject();
        out.writeStringProperty("name", account.name());
        writeCalls(out, "calls", account);
        out.writeEndObject();
    }

    private static void writeCalls(JsonGenerator out, String name, Account account) {
        out.writeObjectPropertyStart(name);
        for (Map.Entry<Call, Account.Count> entry : account.snapshot().entrySet()) {
            out.writeObjectPropertyStart(entry.getKey().kernelName());
            out.writeNumberProperty("calls", entry.getValue().calls());
            out.writeNumberProperty("errors", entry.getValue().errors());
            out.writeNumberProperty("bytes", entry.getValue().bytes());
            out.writeEndObject();
        }
        out.writeEndObject();
    }
}
