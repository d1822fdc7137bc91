package dev.sluice.systemtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Every client that users bring, against a broker of its own; what each received is held against what was sent. Writes
/// docs/COMPATIBILITY.md; the exit code tells whether all held.
final class Compatibility {
    private static final Duration BOUND = Duration.ofMinutes(3);
    private static final int RECORDS = 1000;
    private static final String KAFKA = "4.3.1";
    private static final String TOPIC = "topic";

    private final Path home;
    private final Path clients;
    private final Path prepared;
    private final Set<String> wanted;
    private final CompatibilityReport report = new CompatibilityReport();
    private int failed;
    private Path work;

    /// What is run with a client against a broker; answers in words what held.
    @FunctionalInterface
    private interface Check {
        String run(BrokerProcess broker) throws Exception;
    }

    private Compatibility(Path home, Path prepared, Set<String> wanted) {
        this.home = home;
        this.clients = home.resolve("systemtest/clients");
        this.prepared = prepared;
        this.wanted = wanted;
    }

    /// Arguments: the repository's root, the folder with the clients' class paths and Node modules, and words that
    /// choose clients; without words it is all of them, and the page is written.
    static void main(String[] args) throws Exception {
        if (args.length < 2) {
            System.err.println("usage: Compatibility HOME PREPARED [WORD]...");
            System.exit(2);
        }
        Set<String> words = Arrays.stream(args).skip(2).collect(Collectors.toCollection(TreeSet::new));
        System.exit(run(Path.of(args[0]), Path.of(args[1]), words) == 0 ? 0 : 1);
    }

    /// @return how many failed
    static int run(Path home, Path prepared, Set<String> words) throws IOException {
        return new Compatibility(home, prepared, words).run();
    }

    private int run() throws IOException {
        work = Files.createTempDirectory(Path.of("/var/tmp"), "sluice-compatibility");
        try {
            // The command builds itself when it is not built yet: before anybody waits for a broker.
            Processes.run(
                            Duration.ofMinutes(9),
                            List.of(home.resolve("bin/sluice").toString(), "--version"))
                    .orThrow("bin/sluice");
            javaClients();
            kafkasTools();
            others();
            check("Kafka Streams", KAFKA, "WordCountDemo, at least once, to its counts", this::wordCount);
            if (wanted.isEmpty()) {
                report.write(home.resolve("docs/COMPATIBILITY.md"));
            }
            return failed;
        } finally {
            delete(work);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted((a, b) -> b.compareTo(a)).forEach(file -> file.toFile().delete());
        }
    }

    private void check(String client, String version, String ran, Check check) {
        if (!wanted.isEmpty() && wanted.stream().noneMatch(client::contains)) {
            return;
        }
        String result;
        Path data = work.resolve("data");
        try (BrokerProcess broker = BrokerProcess.start(home, data, List.of(), Map.of())) {
            result = "ok: " + check.run(broker);
            CampaignFailure.require(broker.stop() == 0, "the broker's exit code was not 0:\n" + broker.screen());
        } catch (Exception e) {
            failed++;
            System.out.println(e.getMessage());
            result = "**failed**: "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        }
        try {
            if (Files.exists(data)) {
                delete(data);
            }
        } catch (IOException e) {
            System.out.println("left behind: " + data);
        }
        System.out.println(String.format(Locale.ROOT, "%-22s %-8s %-60s %s", client, version, ran, result));
        report.add(client, version, ran, result);
    }

    private void checkInstalled(String program, String client, String version, String ran, Check check) {
        if (Processes.isInstalled(program)) {
            check(client, version, ran, check);
        } else if (wanted.isEmpty()) {
            report.add(client, version, ran, "not run: " + program + " is not installed");
            System.out.println(client + " was not run: " + program + " is not installed");
        }
    }

    // ---- Java clients

    private void javaClients() {
        String trip = "produce with every codec, consume in a group, come back to nothing new";
        for (String protocol : List.of("classic", "consumer")) {
            check(
                    "kafka-clients",
                    KAFKA,
                    trip + "; group.protocol=" + protocol,
                    broker -> said(
                            java("", "dev.sluice.systemtest.JavaTrip", broker.bootstrap(), "" + RECORDS, protocol)));
        }
        check(
                "kafka-clients",
                "2.8.2",
                trip,
                broker -> said(java("old", "dev.sluice.systemtest.JavaTrip", broker.bootstrap(), "" + RECORDS, "")));
    }

    /// Runs a Java program.
    ///
    /// @param client the folder whose class path it has, with our own classes behind it; "" for this program's own
    private String java(String client, String mainClass, String... arguments) throws IOException {
        return java(client, mainClass, null, arguments);
    }

    private String java(String client, String mainClass, Path input, String... arguments) throws IOException {
        return Processes.run(BOUND, javaCommand(client, mainClass, arguments), input, null, Map.of())
                .orThrow(mainClass)
                .output();
    }

    private List<String> javaCommand(String client, String mainClass, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(Processes.java(mainClass, List.of(arguments)));
        if (!client.isEmpty()) {
            String own = System.getProperty("java.class.path").split(":", 2)[0];
            String path =
                    Files.readString(prepared.resolve(client + ".classpath")).strip();
            command.set(command.indexOf("-cp") + 1, path + ":" + own);
        }
        return command;
    }

    private static String said(String output) {
        String last = output.strip().lines().reduce("", (_, line) -> line);
        CampaignFailure.require(last.equals("OK " + RECORDS), "did not say OK:\n" + output);
        return RECORDS + " records as they were sent";
    }

    // ---- Kafka's command line tools

    private void kafkasTools() {
        check("console tools", KAFKA, "kafka-console-producer, kafka-console-consumer --from-beginning", broker -> {
            Path lines = lines();
            java("", "org.apache.kafka.tools.ConsoleProducer", lines, at(broker, "--topic", TOPIC));
            List<String> got = java(
                            "",
                            "org.apache.kafka.tools.consumer.ConsoleConsumer",
                            at(broker, "--topic", TOPIC, "--from-beginning", "--max-messages", "" + RECORDS))
                    .lines()
                    .filter(line -> line.startsWith("line "))
                    .toList();
            CampaignFailure.require(got.equals(Files.readAllLines(lines)), "other lines came back than were sent");
            return RECORDS + " lines in order";
        });
        check("kafka-topics", KAFKA, "create, list, describe, more partitions, delete", this::topics);
        check(
                "kafka-configs",
                KAFKA,
                "describe, alter, append, delete of a topic; describe of the broker",
                this::configs);
        check("kafka-consumer-groups", KAFKA, "list, describe, reset-offsets, delete", this::groups);
        check("kafka-get-offsets", KAFKA, "earliest, latest, max-timestamp, a time", this::offsets);
        check("kafka-delete-records", KAFKA, "records below offset 400", this::deleteRecords);
        check("VerifiableProducer", KAFKA, "and VerifiableConsumer in a group", this::verifiable);
        check("ConsumerPerformance", KAFKA, "reads what ProducerPerformance wrote", broker -> {
            KafkaTools.producerPerformance(broker.bootstrap(), TOPIC, RECORDS, 1000);
            String output = java(
                    "",
                    "org.apache.kafka.tools.ConsumerPerformance",
                    at(broker, "--topic", TOPIC, "--num-records", "" + RECORDS));
            requireContains(output, ", " + RECORDS + ", ");
            return RECORDS + " records of 1,000 bytes";
        });
        check("EndToEndLatency", KAFKA, "100 records of 100 bytes, acks=all", broker -> {
            String output = java(
                    "",
                    "org.apache.kafka.tools.EndToEndLatency",
                    at(
                            broker,
                            "--topic",
                            TOPIC,
                            "--num-records",
                            "100",
                            "--producer-acks",
                            "all",
                            "--record-size",
                            "100"));
            requireContains(output, "Percentiles: 50th");
            return "100 records came back one by one";
        });
    }

    private static String[] at(BrokerProcess broker, String... arguments) {
        return Stream.concat(Stream.of("--bootstrap-server", broker.bootstrap()), Arrays.stream(arguments))
                .toArray(String[]::new);
    }

    private static void requireContains(String output, String wanted) {
        CampaignFailure.require(output.contains(wanted), "\"" + wanted + "\" is missing in:\n" + output);
    }

    private Path lines() throws IOException {
        Path file = work.resolve("lines");
        Files.write(
                file,
                IntStream.range(0, RECORDS).mapToObj(i -> "line " + i + " ä").toList());
        return file;
    }

    private String topics(BrokerProcess broker) throws IOException {
        String tool = "org.apache.kafka.tools.TopicCommand";
        java(
                "",
                tool,
                at(broker, "--create", "--topic", TOPIC, "--partitions", "2", "--config", "retention.ms=86400000"));
        requireContains(java("", tool, at(broker, "--list")), TOPIC);
        String described = java("", tool, at(broker, "--describe", "--topic", TOPIC));
        requireContains(described, "PartitionCount: 2");
        requireContains(described, "ReplicationFactor: 1");
        requireContains(described, "retention.ms=86400000");
        java("", tool, at(broker, "--alter", "--topic", TOPIC, "--partitions", "5"));
        requireContains(java("", tool, at(broker, "--describe", "--topic", TOPIC)), "PartitionCount: 5");
        java("", tool, at(broker, "--delete", "--topic", TOPIC));
        CampaignFailure.require(!java("", tool, at(broker, "--list")).contains(TOPIC), "the topic is still listed");
        return "each seen in what the next told";
    }

    private String configs(BrokerProcess broker) throws IOException {
        String tool = "kafka.admin.ConfigCommand";
        java("", "org.apache.kafka.tools.TopicCommand", at(broker, "--create", "--topic", TOPIC));
        String[] entity = {"--entity-type", "topics", "--entity-name", TOPIC};
        java(
                "core",
                tool,
                join(
                        at(broker, "--alter", "--add-config", "max.message.bytes=5000,cleanup.policy=[compact,delete]"),
                        entity));
        String described = java("core", tool, join(at(broker, "--describe"), entity));
        requireContains(described, "max.message.bytes=5000");
        requireContains(
                described, "DYNAMIC_TOPIC_CONFIG:max.message.bytes=5000, DEFAULT_CONFIG:message.max.bytes=1048588");
        requireContains(described, "cleanup.policy=compact,delete");
        java("core", tool, join(at(broker, "--alter", "--delete-config", "max.message.bytes"), entity));
        requireContains(
                java("core", tool, join(at(broker, "--describe", "--all"), entity)), "max.message.bytes=1048588");
        requireContains(
                java("core", tool, at(broker, "--describe", "--all", "--entity-type", "brokers", "--entity-name", "1")),
                "log.segment.bytes=1073741824");
        return "values and their sources as set";
    }

    private static String[] join(String[] first, String... second) {
        return Stream.concat(Arrays.stream(first), Arrays.stream(second)).toArray(String[]::new);
    }

    private String groups(BrokerProcess broker) throws IOException {
        java("", "org.apache.kafka.tools.ConsoleProducer", lines(), at(broker, "--topic", TOPIC));
        java(
                "",
                "org.apache.kafka.tools.consumer.ConsoleConsumer",
                at(broker, "--topic", TOPIC, "--from-beginning", "--group", "readers", "--max-messages", "" + RECORDS));
        String tool = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
        requireContains(java("", tool, at(broker, "--list")), "readers");
        String[] of = {"--group", "readers"};
        requireMatch(java("", tool, join(at(broker, "--describe"), of)), "readers +topic +0 +1000 +1000 +0 ");
        java("", tool, join(at(broker, "--reset-offsets", "--topic", TOPIC, "--to-offset", "250", "--execute"), of));
        requireMatch(java("", tool, join(at(broker, "--describe"), of)), "readers +topic +0 +250 +1000 +750 ");
        requireContains(java("", tool, join(at(broker, "--delete"), of)), "was successful");
        CampaignFailure.require(!java("", tool, at(broker, "--list")).contains("readers"), "the group is still listed");
        return "offsets and lag as consumed and as reset";
    }

    private static void requireMatch(String output, String pattern) {
        CampaignFailure.require(
                Pattern.compile(pattern).matcher(output).find(), "\"" + pattern + "\" is missing in:\n" + output);
    }

    private String offsets(BrokerProcess broker) throws IOException {
        java("", "org.apache.kafka.tools.ConsoleProducer", lines(), at(broker, "--topic", TOPIC));
        Map<String, String> wantedByTime = Map.of(
                "earliest", "topic:0:0", "latest", "topic:0:1000", "earliest-local", "topic:0:0", "0", "topic:0:0");
        for (Map.Entry<String, String> each : wantedByTime.entrySet()) {
            requireContains(
                    java(
                            "",
                            "org.apache.kafka.tools.GetOffsetShell",
                            at(broker, "--topic", TOPIC, "--time", each.getKey())),
                    each.getValue());
        }
        requireMatch(
                java(
                        "",
                        "org.apache.kafka.tools.GetOffsetShell",
                        at(broker, "--topic", TOPIC, "--time", "max-timestamp")),
                "topic:0:[0-9]+");
        return "as produced";
    }

    private String deleteRecords(BrokerProcess broker) throws IOException {
        java("", "org.apache.kafka.tools.ConsoleProducer", lines(), at(broker, "--topic", TOPIC));
        Path file = work.resolve("delete.json");
        Files.writeString(
                file, "{\"version\":1,\"partitions\":[{\"topic\":\"topic\",\"partition\":0,\"offset\":400}]}");
        requireContains(
                java(
                        "",
                        "org.apache.kafka.tools.DeleteRecordsCommand",
                        at(broker, "--offset-json-file", file.toString())),
                "low_watermark: 400");
        requireContains(
                java("", "org.apache.kafka.tools.GetOffsetShell", at(broker, "--topic", TOPIC, "--time", "earliest")),
                "topic:0:400");
        return "the log begins at 400";
    }

    private String verifiable(BrokerProcess broker) throws IOException {
        String produced = java(
                "",
                "org.apache.kafka.tools.VerifiableProducer",
                at(broker, "--topic", TOPIC, "--max-messages", "" + RECORDS, "--acks", "-1"));
        requireContains(produced, "\"acked\":" + RECORDS);
        String consumed = java(
                "",
                "org.apache.kafka.tools.VerifiableConsumer",
                at(
                        broker,
                        "--topic",
                        TOPIC,
                        "--group-id",
                        "verifiers",
                        "--reset-policy",
                        "earliest",
                        "--max-messages",
                        "" + RECORDS));
        Matcher counts = Pattern.compile(
                        "\"name\":\"records_consumed\".*?\"count\":([0-9]+)|\"count\":([0-9]+).*?\"name\":\"records_consumed\"")
                .matcher(consumed);
        long sum = 0;
        while (counts.find()) {
            sum += Long.parseLong(counts.group(1) != null ? counts.group(1) : counts.group(2));
        }
        CampaignFailure.require(sum == RECORDS, sum + " of " + RECORDS + " were consumed:\n" + consumed);
        return RECORDS + " acknowledged and consumed";
    }

    // ---- Clients in other languages

    private void others() throws IOException {
        checkInstalled(
                "kcat", "kcat", version("kcat", "-V"), "-P with each codec, -C, -L, -Q, and a group (-G)", this::kcat);
        String trip = "idempotent producer, group consumer, commit, admin";
        checkInstalled(
                "node", "kafkajs", nodeVersion("kafkajs"), trip, broker -> said(node("kafkajs_trip.js", broker)));
        checkInstalled(
                "node",
                "@platformatic/kafka",
                nodeVersion("@platformatic/kafka"),
                trip,
                broker -> said(node("platformatic_trip.mjs", broker)));
        python("confluent_kafka", "python3-confluent-kafka", "confluent_trip.py", trip);
        python("kafka", "python3-kafka", "kafka_python_trip.py", "producer, group consumer, commit, admin");
    }

    private static String version(String... command) {
        if (!Processes.isInstalled(command[0])) {
            return "";
        }
        Matcher found = Pattern.compile("[0-9]+\\.[0-9]+[0-9.]*")
                .matcher(Processes.run(BOUND, List.of(command)).output());
        return found.find() ? found.group() : "";
    }

    private String nodeVersion(String module) throws IOException {
        Path file = prepared.resolve("node_modules").resolve(module).resolve("package.json");
        Matcher found =
                Pattern.compile("\"version\": \"([^\"]+)\"").matcher(Files.exists(file) ? Files.readString(file) : "");
        return found.find() ? found.group(1) : "";
    }

    /// Node looks for modules beside the script.
    private String node(String script, BrokerProcess broker) throws IOException {
        Path copy = prepared.resolve(script);
        Files.write(copy, Files.readAllBytes(clients.resolve(script)));
        return Processes.run(BOUND, List.of("node", copy.toString(), broker.bootstrap(), "" + RECORDS))
                .orThrow(script)
                .output();
    }

    /// Debian's modules are those of Debian's Python.
    private void python(String module, String debianPackage, String script, String ran) {
        String python = "/usr/bin/python3";
        boolean installed = Files.isExecutable(Path.of(python))
                && Processes.run(BOUND, List.of(python, "-c", "import " + module))
                                .exitCode()
                        == 0;
        if (installed) {
            String version = version("dpkg-query", "-W", "-f", "${Version}", debianPackage);
            check(
                    debianPackage,
                    version,
                    ran,
                    broker -> said(Processes.run(
                                    BOUND,
                                    List.of(
                                            python,
                                            clients.resolve(script).toString(),
                                            broker.bootstrap(),
                                            "" + RECORDS))
                            .orThrow(script)
                            .output()));
        } else if (wanted.isEmpty()) {
            report.add(debianPackage, "", ran, "not run: not installed");
            System.out.println(debianPackage + " was not run: it is not installed");
        }
    }

    private String kcat(BrokerProcess broker) throws IOException {
        Path lines = lines();
        List<String> sent = Files.readAllLines(lines);
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String topic = "topic-" + codec;
            kcat(broker, "-P", "-t", topic, "-z", codec, "-X", "enable.idempotence=true", "-l", lines.toString());
            String got = kcat(broker, "-C", "-t", topic, "-o", "beginning", "-e", "-q");
            CampaignFailure.require(
                    got.lines().toList().equals(sent), codec + ": other lines came back than were sent");
        }
        requireContains(kcat(broker, "-L"), "topic \"topic-zstd\" with 1 partitions");
        requireContains(kcat(broker, "-Q", "-t", "topic-none:0:-1"), "offset 1000");
        String grouped = Processes.run(
                        BOUND,
                        List.of(
                                "kcat",
                                "-b",
                                broker.bootstrap(),
                                "-G",
                                "readers",
                                "-X",
                                "auto.offset.reset=earliest",
                                "-c",
                                "" + RECORDS,
                                "-q",
                                "topic-lz4"))
                .orThrow("kcat -G")
                .output();
        CampaignFailure.require(
                grouped.lines()
                        .filter(line -> line.startsWith("line "))
                        .toList()
                        .equals(sent),
                "the group read other lines");
        return RECORDS + " lines in order, by each codec and in a group";
    }

    private static String kcat(BrokerProcess broker, String... arguments) {
        List<String> command = new ArrayList<>(List.of("kcat", "-b", broker.bootstrap()));
        command.addAll(List.of(arguments));
        return Processes.run(BOUND, command).orThrow("kcat").output();
    }

    // ---- Streams

    private String wordCount(BrokerProcess broker) throws IOException, InterruptedException {
        Path words = work.resolve("words");
        Files.write(
                words,
                IntStream.range(0, RECORDS)
                        .mapToObj(i -> "all streams lead to word" + i % 7)
                        .toList());
        java("", "org.apache.kafka.tools.TopicCommand", at(broker, "--create", "--topic", "streams-plaintext-input"));
        java("", "org.apache.kafka.tools.TopicCommand", at(broker, "--create", "--topic", "streams-wordcount-output"));
        java("", "org.apache.kafka.tools.ConsoleProducer", words, at(broker, "--topic", "streams-plaintext-input"));
        Path properties = work.resolve("streams.properties");
        Files.write(
                properties,
                List.of(
                        "bootstrap.servers=" + broker.bootstrap(),
                        "processing.guarantee=at_least_once",
                        "state.dir=" + work.resolve("streams-state")));
        Process streams = new ProcessBuilder(javaCommand(
                        "streams", "org.apache.kafka.streams.examples.wordcount.WordCountDemo", properties.toString()))
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(work.resolve("streams.out").toFile())
                .start();
        try {
            Map<String, Long> counts = Map.of();
            long startNs = System.nanoTime();
            while (!isCounted(counts)) {
                CampaignFailure.require(
                        streams.isAlive() && System.nanoTime() - startNs < BOUND.toNanos(),
                        "counted " + counts + "\n" + Files.readString(work.resolve("streams.out")));
                counts = WordCounts.read(broker.bootstrap(), "streams-wordcount-output");
            }
        } finally {
            streams.destroy();
            streams.waitFor();
        }
        return "11 words counted as they were sent, state kept in a compacted changelog topic";
    }

    private static boolean isCounted(Map<String, Long> counts) {
        long wordsOfNumbers = IntStream.range(0, 7)
                .filter(i -> counts.getOrDefault("word" + i, 0L) == (RECORDS - i + 6) / 7)
                .count();
        return wordsOfNumbers == 7
                && Stream.of("all", "streams", "lead", "to").allMatch(word -> counts.getOrDefault(word, 0L) == RECORDS);
    }
}
