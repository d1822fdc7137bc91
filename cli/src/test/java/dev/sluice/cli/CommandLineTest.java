package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// What the command line accepts, what it refuses, and with which exit code.
class CommandLineTest {
    @ParameterizedTest
    @MethodSource("allCommands")
    void everyCommandHasHelpWithAnExampleAndItsExitCodes(List<String> command) {
        List<String> arguments = new ArrayList<>(command);
        arguments.add("--help");
        SluiceRun run = SluiceRun.of(arguments.toArray(String[]::new));

        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .contains("Usage: sluice", "Example:", "Exit codes:", "  sluice " + String.join(" ", command));
        assertThat(run.err()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("allCommands")
    void theHelpCommandShowsTheSamePage(List<String> command) {
        List<String> help = new ArrayList<>(command);
        help.addFirst("help");
        List<String> option = new ArrayList<>(command);
        option.add("--help");

        assertThat(SluiceRun.of(help.toArray(String[]::new)).out())
                .isEqualTo(SluiceRun.of(option.toArray(String[]::new)).out());
    }

    @ParameterizedTest
    @MethodSource("allCommands")
    void anUnknownOptionIsAUsageErrorInTwoLines(List<String> command) {
        List<String> arguments = new ArrayList<>(command);
        line(command).getCommandSpec().positionalParameters().stream()
                .filter(CommandLine.Model.ArgSpec::required)
                .forEach(_ -> arguments.add("t"));
        line(command).getCommandSpec().options().stream()
                .filter(CommandLine.Model.ArgSpec::required)
                .forEach(option -> arguments.addAll(List.of(option.longestName(), "x")));
        arguments.add("--no-such-option");
        SluiceRun run = SluiceRun.of(arguments.toArray(String[]::new));

        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(2);
        assertThat(run.err()).contains("--no-such-option", "--help");
    }

    /// The page for people must tell of everything that the help tells of.
    @ParameterizedTest
    @MethodSource("allCommands")
    void thePageOfCommandsNamesEveryOption(List<String> command) throws IOException {
        String page = Files.readString(Path.of("..", "docs", "COMMANDS.md"));
        CommandLine line = line(command);
        String title = "sluice " + String.join(" ", command);
        String section = sectionOf(page, title.strip());

        assertThat(section).as("section '%s' of docs/COMMANDS.md", title).isNotEmpty();
        for (OptionSpec option : line.getCommandSpec().options()) {
            assertThat(section).as("docs/COMMANDS.md, section '%s'", title).contains("`" + option.longestName());
        }
        for (String code : line.getCommandSpec().usageMessage().exitCodeList().keySet()) {
            assertThat(section).as("exit codes of '%s'", title).contains("| " + code + " |");
        }
    }

    @Test
    void versionIsPrinted() {
        SluiceRun run = SluiceRun.of("--version");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).matches("sluice \\S+\\R");
    }

    @Test
    void nothingIsAUsageErrorThatShowsWhatThereIs() {
        SluiceRun run = SluiceRun.of();
        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("broker", "produce", "consume");
    }

    @Test
    void aMistypedCommandIsGuessed() {
        SluiceRun run = SluiceRun.of("consme");
        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("no such command: 'consme'", "Did you mean: consume");
    }

    @ParameterizedTest
    @MethodSource("badArguments")
    void badArgumentsAreRefusedInOneLineBeforeAnybodyIsAsked(List<String> arguments, String says) {
        // Port 1: if anybody were asked, the exit code would be 1, and five seconds would pass.
        SluiceRun run = SluiceRun.with(
                java.io.InputStream.nullInputStream(),
                Map.of("SLUICE_BOOTSTRAP", "127.0.0.1:1"),
                arguments.toArray(String[]::new));

        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains(says);
        assertThat(run.err().lines().filter(line -> !line.startsWith("Try: "))).hasSize(1);
    }

    static Stream<org.junit.jupiter.params.provider.Arguments> badArguments() {
        return Stream.of(
                bad("TOPIC", "produce"),
                bad("TOPIC", "consume"),
                bad("--key", "seal", "a", "b"),
                bad("NAME", "topic", "create"),
                bad("a b", "produce", "a b"),
                bad("--partitions", "topic", "create", "t", "--partitions", "0"),
                bad("--partitions", "topic", "create", "t", "--partitions", "x"),
                bad("--config", "topic", "create", "t", "--config", "x"),
                bad("--whole", "produce", "t", "--whole", "--delimiter", "x"),
                bad("--key", "produce", "t", "--key", "k", "--key-separator", ":"),
                bad("--partition", "produce", "t", "--partition", "-1"),
                bad("--compression", "produce", "t", "--compression", "rar"),
                bad("--acks", "produce", "t", "--acks", "2"),
                bad("--delimiter", "produce", "t", "--delimiter", ""),
                bad("--header", "produce", "t", "--header", "x"),
                bad("--property", "produce", "t", "--property", "x"),
                bad("the nearest is linger.ms", "produce", "t", "--property", "lingr.ms=5"),
                bad("not a setting of Kafka's consumer", "consume", "t", "--property", "linger.ms=5"),
                bad("the nearest is retries", "topic", "list", "--property", "retrys=5"),
                bad("sluice broker --set", "status", "--property", "sluice.flush.policy=ack"),
                bad("--from", "consume", "t", "--from", "yesterday"),
                bad("--max", "consume", "t", "--max", "-1"),
                bad("--print", "consume", "t", "--print", "topic"),
                bad("--timeout", "status", "--timeout", "0"),
                bad("HOST:PORT", "status", "--bootstrap", "nonsense"),
                bad("security.protocol", "status", "--property", "security.protocol=SSL"),
                bad("no command 'nope'", "help", "nope"),
                bad("nope.properties", "broker", "--config", "nope.properties"),
                bad("--set", "broker", "--set", "x"),
                bad("sluice.log.level", "broker", "--set", "sluice.log.level=loud"),
                bad("no.such.key", "broker", "--set", "no.such.key=1"),
                bad("num.partitions", "broker", "--set", "num.partitions=x"),
                bad("FILE", "compare"),
                bad("DST", "copy", "f"),
                bad("HOST:PORT", "send", "f", "nonsense"),
                bad("[HOST:]PORT", "receive", "nonsense", "f"),
                bad("--receive", "compare"),
                bad("--over is loopback", "compare", "f", "--over", "nonsense"),
                bad("takes neither", "compare", "f", "--receive", "7000"),
                bad("MSG_ZEROCOPY", "explain", "nonsense", "f"),
                bad("--sizes", "compare", "f", "--sizes", "4K,x"),
                bad("--sizes", "compare", "f", "--sizes", "65M"),
                bad("--runs", "compare", "f", "--runs", "0"),
                bad("--seconds", "compare", "f", "--seconds", "0"),
                bad("one argument too many: 'b'", "consume", "a", "b"),
                bad("write HOST:PORT alone", "broker", "--listen", "PLAINTEXT://:9092"),
                bad("nonsense", "broker", "--listen", "nonsense"));
    }

    /// Kafka hands all settings to such a class, and only the class knows its own.
    @Test
    void besideAClassOfTheUsersOwnAnyPropertyGoes() throws CommandFailure {
        KafkaClient.PRODUCER.check(Map.of("interceptor.classes", "com.example.Traced", "traced.sample", "0.1"));
    }

    @ParameterizedTest
    @MethodSource("clientCommands")
    void withoutABrokerOneLineSaysSoInBoundedTime(List<String> command) throws IOException {
        int port = unusedPort();
        List<String> arguments = new ArrayList<>(command);
        arguments.addAll(List.of("--bootstrap", "127.0.0.1:" + port, "--timeout", "0.2"));

        SluiceRun run = SluiceRun.of(arguments.toArray(String[]::new));

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err())
                .isEqualTo("sluice: no broker answers at 127.0.0.1:" + port + "; start one with: sluice broker"
                        + System.lineSeparator());
        assertThat(run.out()).isEmpty();
    }

    @Test
    void theBrokersAddressComesFromTheEnvironmentUnlessItIsGiven() throws IOException {
        int port = unusedPort();
        SluiceRun run = SluiceRun.with(
                java.io.InputStream.nullInputStream(),
                Map.of("SLUICE_BOOTSTRAP", "127.0.0.1:" + port),
                "topic",
                "list",
                "--timeout",
                "0.1");
        assertThat(run.err()).contains("127.0.0.1:" + port);
    }

    @Test
    void whatIsNoBrokerIsNamedAsSuch() throws Exception {
        try (Listener listener = Listener.answering("HTTP/1.1 400 Bad Request\r\n\r\n")) {
            SluiceRun run = SluiceRun.of("topic", "list", "--bootstrap", listener.address(), "--timeout", "60");
            assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
            assertThat(run.err()).contains(listener.address(), "doesn't answer as a Kafka broker");
        }
    }

    @Test
    void whoAcceptsAndKeepsSilentIsGivenUp() throws Exception {
        try (Listener listener = Listener.silent()) {
            SluiceRun run = SluiceRun.of("topic", "list", "--bootstrap", listener.address(), "--timeout", "0.2");
            assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
            assertThat(run.err()).contains("no broker answers at " + listener.address());
        }
    }

    @Test
    void aSilentAddressDoesNotKeepTheNextOneFromBeingAsked() throws Exception {
        try (Listener silent = Listener.silent();
                Listener closing = Listener.answering("")) {
            SluiceRun run = SluiceRun.of(
                    "topic", "list", "--bootstrap", silent.address() + "," + closing.address(), "--timeout", "1");
            assertThat(run.err()).contains(closing.address(), "it closed the connection");
        }
    }

    @Test
    void whoClosesTheConnectionIsNamed() throws Exception {
        try (Listener listener = Listener.answering("")) {
            SluiceRun run = SluiceRun.of("status", "--bootstrap", listener.address(), "--timeout", "60");
            assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
            assertThat(run.err()).contains("it closed the connection");
        }
    }

    @Test
    void aFileThatIsNotThereIsToldBeforeTheBrokerIsAsked(@TempDir Path folder) {
        Path missing = folder.resolve("missing");
        SluiceRun run = SluiceRun.of("produce", "t", missing.toString(), "--bootstrap", "127.0.0.1:1");
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains(missing + ": no such file; nothing was sent");
        assertThat(SluiceRun.of("produce", "t", folder.toString(), "--bootstrap", "127.0.0.1:1")
                        .err())
                .contains("a directory");
    }

    static Stream<List<String>> allCommands() {
        return Stream.of(
                List.of("broker"),
                List.of("topic"),
                List.of("topic", "create"),
                List.of("topic", "list"),
                List.of("topic", "describe"),
                List.of("topic", "alter"),
                List.of("topic", "delete"),
                List.of("produce"),
                List.of("consume"),
                List.of("status"),
                List.of("check"),
                List.of("compare"),
                List.of("explain"),
                List.of("copy"),
                List.of("send"),
                List.of("receive"),
                List.of("seal"),
                List.of("unseal"),
                List.of("proxy"),
                List.of("doctor"),
                List.of("help"));
    }

    static Stream<List<String>> clientCommands() {
        return Stream.of(
                List.of("topic", "create", "t"),
                List.of("topic", "list"),
                List.of("topic", "describe", "t"),
                List.of("topic", "alter", "t", "--partitions", "2"),
                List.of("topic", "delete", "t"),
                List.of("produce", "t"),
                List.of("consume", "t"),
                List.of("status"));
    }

    @Test
    void theListsOfThisTestNameEveryCommand() {
        assertThat(Sluice.COMMANDS)
                .isEqualTo(allCommands().map(List::getFirst).distinct().toList());
        assertThat(line(List.of("topic")).getSubcommands().keySet())
                .containsExactly("create", "list", "describe", "alter", "delete");
    }

    private static CommandLine line(List<String> command) {
        CommandLine line = CommandTree.commandLine();
        for (String word : command) {
            line = line.getSubcommands().get(word);
        }
        return line;
    }

    /// From its heading to the next one of the same or a higher level.
    private static String sectionOf(String page, String title) {
        int start = page.indexOf("\n## `" + title + "`\n");
        if (start < 0) {
            return "";
        }
        int end = page.indexOf("\n## ", start + 1);
        return page.substring(start, end < 0 ? page.length() : end);
    }

    private static org.junit.jupiter.params.provider.Arguments bad(String says, String... arguments) {
        return org.junit.jupiter.params.provider.Arguments.of(List.of(arguments), says);
    }

    private static int unusedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /// Something that listens and is no broker.
    private record Listener(ServerSocket socket) implements AutoCloseable {
        /// Accepts in the kernel alone: a connection is there, and nobody reads it.
        static Listener silent() throws IOException {
            return new Listener(new ServerSocket(0, 10, InetAddress.getLoopbackAddress()));
        }

        /// Answers each connection with the text and closes it.
        static Listener answering(String text) throws IOException {
            Listener listener = silent();
            Thread.ofVirtual().start(() -> {
                while (true) {
                    try (var connection = listener.socket.accept()) {
                        connection.getInputStream().read();
                        connection.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
                        connection.shutdownOutput();
                        connection.getInputStream().readAllBytes();
                    } catch (IOException _) {
                        if (listener.socket.isClosed()) {
                            return;
                        }
                    }
                }
            });
            return listener;
        }

        String address() {
            return "127.0.0.1:" + socket.getLocalPort();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
