package dev.sluice.cli;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// One run of `sluice produce`: reads the inputs one after the other and sends their records, in their order, until the
/// end or the first failure. Used by one thread; a second one reports when a signal ends the process.
final class Producing {
    /// How much is asked of a file at once. Large enough that system calls don't count, small enough for the
    /// second-level cache, from which the records are copied again.
    private static final int READ_BYTES = 256 * 1024;

    /// Kafka's client cuts batches at 16 KiB by default: 65,000 requests a GiB, each with its own cost on both
    /// sides. A batch of a million bytes is the largest that a broker with the default max.message.bytes
    /// (1,048,588) takes.
    private static final int BATCH_BYTES = 1_000_000;

    /// How long a batch waits to fill up. Nobody notices 10 ms on a typed line; at the end of the input nothing
    /// waits.
    private static final int LINGER_MS = 10;

    /// Records that wait for their batch or for its acknowledgement: 64 batches, enough for the 5 in flight and for
    /// a keyed stream over some 50 partitions. It is also the largest record, which the broker usually bounds
    /// before.
    private static final int BUFFER_BYTES = 64 * 1024 * 1024;

    /// Kafka's own default of delivery.timeout.ms: time enough to restart a broker under a running producer.
    private static final String DELIVERY_TIMEOUT_MS = "120000";

    /// A record's own header and a batch's, with room to spare for headers of the user.
    private static final int RECORD_OVERHEAD_BYTES = 64 * 1024;

    private final ClientOptions client;
    private final ProduceOptions options;
    private final Surroundings surroundings;
    private final Acknowledgements acknowledged = new Acknowledgements();
    /// When sending began; connecting is not part of the speed that is told.
    private volatile long startNs = System.nanoTime();

    Producing(ClientOptions client, ProduceOptions options, Surroundings surroundings) {
        this.client = client;
        this.options = options;
        this.surroundings = surroundings;
    }

    int run() throws CommandFailure, IOException {
        long inputBytes = checkInputs();
        BrokerProbe.await(client);
        try (Producer<byte[], byte[]> producer = open()) {
            try {
                checkPartition(producer);
                startNs = System.nanoTime();
                surroundings.signals().onStop(exitCode -> {
                    surroundings.err().println();
                    surroundings.err().println("sluice: stopped; " + summary());
                    return false;
                });
                try (SplitWatch _ = SplitWatch.start(producer, acknowledged)) {
                    sendAll(producer, inputBytes);
                }
            } catch (IllegalStateException e) {
                // The producer was closed under us, by the watch; it noted why.
                if (acknowledged.firstFailure() == null) {
                    throw e;
                }
            } catch (CommandFailure | RuntimeException e) {
                // What is still in flight is given up: the caller is told what was acknowledged, and it ends now.
                producer.close(Duration.ZERO);
                throw e;
            }
        }
        Exception failure = acknowledged.firstFailure();
        if (failure != null) {
            throw stoppedBy(KafkaFailures.explain("produce to " + options.topic(), failure, client));
        }
        surroundings.err().println("sluice: " + summary());
        return ExitCode.OK;
    }

    /// Before anything is sent: a name mistyped in a list of files must not leave half of them sent.
    ///
    /// @return the bytes of all files, or -1 when standard input or a pipe is among them
    private long checkInputs() throws CommandFailure {
        long total = 0;
        for (String file : options.files()) {
            if (file.equals(ProduceOptions.STANDARD_INPUT)) {
                total = -1;
                continue;
            }
            Path path = Path.of(file);
            if (!Files.exists(path)) {
                throw CommandFailure.failed(file + ": no such file; nothing was sent");
            }
            if (Files.isDirectory(path) || !Files.isReadable(path)) {
                throw CommandFailure.failed(file + ": " + (Files.isDirectory(path) ? "a directory" : "not readable")
                        + "; nothing was sent");
            }
            try {
                total = total < 0 || !Files.isRegularFile(path) ? -1 : total + Files.size(path);
            } catch (IOException e) {
                throw CommandFailure.failed(file + ": " + e.getMessage() + "; nothing was sent", e);
            }
        }
        return total;
    }

    private Producer<byte[], byte[]> open() throws CommandFailure {
        Map<String, Object> own = new HashMap<>();
        own.put("acks", options.acks());
        own.put("compression.type", options.compression());
        own.put("batch.size", BATCH_BYTES);
        own.put("linger.ms", LINGER_MS);
        own.put("buffer.memory", BUFFER_BYTES);
        own.put("max.request.size", BUFFER_BYTES);
        // A broker that went away is waited for as long with a full buffer as with records on their way to it.
        own.put("max.block.ms", client.properties().getOrDefault("delivery.timeout.ms", DELIVERY_TIMEOUT_MS));
        try {
            return new KafkaProducer<>(
                    client.clientProperties(own), new ByteArraySerializer(), new ByteArraySerializer());
        } catch (KafkaException e) {
            throw KafkaFailures.explain("produce", e, client);
        }
    }

    /// Learns the topic's partitions, which creates the topic on a broker that does so. Asked on a thread of its
    /// own, because the client would wait here as long as for a full buffer.
    private void checkPartition(Producer<byte[], byte[]> producer) throws CommandFailure {
        String topic = options.topic();
        FutureTask<List<PartitionInfo>> asked = new FutureTask<>(() -> producer.partitionsFor(topic));
        Thread.ofPlatform().daemon().name("partitions-of-topic").start(asked);
        try {
            int count =
                    asked.get(client.timeout().toNanos(), TimeUnit.NANOSECONDS).size();
            Integer partition = options.partition();
            if (partition != null && partition >= count) {
                throw CommandFailure.failed("topic " + topic + " has " + HumanFormat.count(count, "partition")
                        + ", counted from 0; there is no partition " + partition);
            }
        } catch (ExecutionException e) {
            throw KafkaFailures.explain("produce to " + topic, e, client);
        } catch (TimeoutException e) {
            throw CommandFailure.failed(
                    "the broker has no topic '" + topic + "' and did not create it in "
                            + HumanFormat.duration(client.timeout()) + "; create it with: sluice topic create " + topic,
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed("interrupted", e);
        }
    }

    private void sendAll(Producer<byte[], byte[]> producer, long inputBytes) throws CommandFailure {
        if (surroundings.inIsTerminal() && options.files().contains(ProduceOptions.STANDARD_INPUT)) {
            surroundings.err().println("sluice: each line you type is a record; Ctrl-D ends");
        }
        try (Progress progress = progress(inputBytes)) {
            for (String file : options.files()) {
                boolean standardInput = file.equals(ProduceOptions.STANDARD_INPUT);
                String name = standardInput ? "standard input" : file;
                // Standard input is the process's, not ours to close.
                InputStream in = standardInput ? surroundings.in() : new FileInputStream(file);
                try {
                    boolean goesOn = options.whole()
                            ? sendWhole(producer, name, in, progress)
                            : sendLines(producer, name, in, progress);
                    if (!goesOn) {
                        return;
                    }
                } catch (IOException e) {
                    producer.flush();
                    throw stoppedBy(CommandFailure.failed(name + ": " + e.getMessage(), e));
                } finally {
                    if (!standardInput) {
                        in.close();
                    }
                }
            }
            producer.flush();
        } catch (IOException e) {
            producer.flush();
            throw stoppedBy(CommandFailure.failed(String.valueOf(e.getMessage()), e));
        }
    }

    /// @return false when a record failed: nothing more is sent, so that what was stored is a beginning of the
    ///         input
    private boolean sendLines(Producer<byte[], byte[]> producer, String name, InputStream in, Progress progress)
            throws IOException, CommandFailure {
        RecordReader records = new RecordReader(in, options.delimiter(), READ_BYTES, maxRecordBytes());
        byte[] separator = options.keySeparator();
        long line = 0;
        while (records.next()) {
            line++;
            int start = records.start();
            int end = start + records.length();
            byte[] key = options.key();
            if (separator != null) {
                int at = indexOf(separator, records.array(), start, end);
                if (at < 0) {
                    producer.flush();
                    throw stoppedBy(CommandFailure.failed(name + ": record " + HumanFormat.count(line)
                            + " has no key separator; nothing from there on was sent"));
                }
                key = Arrays.copyOfRange(records.array(), start, at);
                start = at + separator.length;
            }
            // The client keeps a reference until it has serialised the record, hence an array of its own.
            send(producer, key, Arrays.copyOfRange(records.array(), start, end));
            progress.advance(records.length() + options.delimiter().length);
            if (acknowledged.firstFailure() != null) {
                return false;
            }
        }
        return true;
    }

    private boolean sendWhole(Producer<byte[], byte[]> producer, String name, InputStream in, Progress progress)
            throws IOException, CommandFailure {
        int max = maxRecordBytes();
        byte[] value = in.readNBytes(max + 1);
        if (value.length > max) {
            producer.flush();
            throw stoppedBy(CommandFailure.failed(name + ": larger than " + HumanFormat.bytes(max)
                    + ", which is the largest record; raise it with --property max.request.size=N --property"
                    + " buffer.memory=N, and the topic's max.message.bytes"));
        }
        send(producer, options.key(), value);
        progress.advance(value.length);
        return acknowledged.firstFailure() == null;
    }

    private void send(Producer<byte[], byte[]> producer, byte @Nullable [] key, byte[] value) {
        // What becomes of it is told to the callback.
        Future<?> _ = producer.send(
                new ProducerRecord<>(options.topic(), options.partition(), null, key, value, options.headers()),
                acknowledged);
        if (value.length >= BATCH_BYTES) {
            // It has a batch of its own, made to its size with a few bytes to spare. No short record may slip in: if
            // the broker then finds the batch too large, the client splits it into itself again, see SplitWatch.
            producer.flush();
        }
    }

    /// What the client's own limits leave for a record; the broker's limit is usually lower, and is told by the
    /// broker.
    private int maxRecordBytes() {
        long request = Long.parseLong(client.properties().getOrDefault("max.request.size", "" + BUFFER_BYTES));
        long memory = Long.parseLong(client.properties().getOrDefault("buffer.memory", "" + BUFFER_BYTES));
        long max = Math.min(Math.min(request, memory), Integer.MAX_VALUE / 2) - RECORD_OVERHEAD_BYTES;
        return (int) Math.max(1, max);
    }

    private static int indexOf(byte[] wanted, byte[] bytes, int start, int end) {
        for (int at = start; at <= end - wanted.length; at++) {
            if (bytes[at] == wanted[0] && Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
                return at;
            }
        }
        return -1;
    }

    /// A bar where somebody watches, unless the same terminal is typed at.
    private Progress progress(long inputBytes) {
        boolean typed = surroundings.inIsTerminal() && options.files().contains(ProduceOptions.STANDARD_INPUT);
        return surroundings.errIsTerminal() && !typed
                ? ProgressOnTerminal.start(options.topic(), inputBytes)
                : Progress.NONE;
    }

    private CommandFailure stoppedBy(CommandFailure reason) {
        return CommandFailure.failed(reason.line() + " (" + summary() + ")", reason);
    }

    private String summary() {
        long elapsedNs = Math.max(1, System.nanoTime() - startNs);
        return HumanFormat.count(acknowledged.records(), "record") + ", " + HumanFormat.bytes(acknowledged.bytes())
                + (options.acks().equals("0") ? " sent to " : " acknowledged for ") + options.topic() + " in "
                + HumanFormat.duration(Duration.ofNanos(elapsedNs)) + ", "
                + HumanFormat.bytes((double) acknowledged.bytes() * TimeUnit.SECONDS.toNanos(1) / elapsedNs) + "/s";
    }
}
