package dev.sluice.cli;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/// `sluice status [TOPIC]`: what the broker moved, by which system call, with how many calls.
///
/// Asks over a Kafka request of Sluice's own, on the same port as everything else:
///
/// ```
///   api key 20000, version 0
///   request   i16 length, topic (length -1: all topics)
///   response  i32 length, JSON in UTF-8
/// ```
final class StatusCommand implements Command {
    private static final short SLUICE_STATUS = 20_000;

    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Show what the broker moved, and how.",
                "Bytes and system calls by method, in all and for each connection and segment.");
        spec.addPositional(PositionalParamSpec.builder()
                .index("0")
                .arity("0..1")
                .paramLabel("TOPIC")
                .type(String.class)
                .description("Segments of this topic alone. Default: all topics.")
                .build());
        spec.addOption(Specs.flag("--json", "Print the broker's answer as it is, in JSON."));
        ClientOptions.addTo(spec);
        Specs.example(spec, "sluice status logs");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "done"),
                        Map.entry("1", "no broker answers, it is not Sluice, or it has no such topic"),
                        Map.entry("2", "bad arguments")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        ClientOptions options = ClientOptions.from(parsed, surroundings.environment(), KafkaClient.NONE);
        if (!options.isPlaintext()) {
            throw CommandFailure.usage("status is asked over plain TCP; security.protocol must be PLAINTEXT");
        }
        String topic = parsed.hasMatchedPositional(0) ? TopicName.from(parsed) : null;
        String json = ask(BrokerProbe.await(options), topic, options);
        if (parsed.matchedOptionValue("--json", false)) {
            surroundings.out().println(json);
            return ExitCode.OK;
        }
        StatusReport report = StatusReport.parse(json);
        if (topic != null && report.partitions().isEmpty()) {
            throw CommandFailure.failed("no topic '" + topic + "'; sluice topic list shows those there are");
        }
        StatusTables.print(report, surroundings.out());
        return ExitCode.OK;
    }

    /// Where the broker takes local readers.
    static Path localSocket(HostPort broker, ClientOptions options) throws CommandFailure {
        if (!options.isPlaintext()) {
            throw CommandFailure.usage("--local asks over plain TCP; security.protocol must be PLAINTEXT");
        }
        String socket = StatusReport.parse(ask(broker, "", options)).local().socket();
        if (socket.isEmpty()) {
            throw CommandFailure.failed("the broker at " + broker
                    + " takes no local readers (sluice.local.socket); leave --local out to read over TCP");
        }
        Path path = Path.of(socket);
        if (!Files.exists(path)) {
            throw CommandFailure.failed("the broker's socket " + socket
                    + " can't be seen from here: --local works on the broker's host, with access to its folder");
        }
        return path;
    }

    private static String ask(HostPort address, @Nullable String topic, ClientOptions options) throws CommandFailure {
        byte[] name = topic == null ? new byte[0] : topic.getBytes(StandardCharsets.UTF_8);
        ByteBuffer body = ByteBuffer.allocate(2 + name.length);
        body.putShort(topic == null ? -1 : (short) name.length).put(name).flip();
        try (KafkaConnection connection = KafkaConnection.open(address, options.timeout())) {
            ByteBuffer answer = connection.exchange(SLUICE_STATUS, (short) 0, body);
            if (answer.remaining() < 4 || answer.getInt() != answer.remaining()) {
                throw new KafkaConnection.NotKafkaException("an answer to the status request of another form");
            }
            return StandardCharsets.UTF_8.decode(answer).toString();
        } catch (EOFException e) {
            throw CommandFailure.failed(
                    "the broker at " + address + " is not Sluice: it doesn't know the status request", e);
        } catch (IOException e) {
            throw CommandFailure.failed("the broker at " + address + " gave no status: " + e.getMessage(), e);
        }
    }
}
