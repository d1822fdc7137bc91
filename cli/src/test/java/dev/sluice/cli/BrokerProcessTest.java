package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `sluice broker` as a process: its first screen, its end by a signal, and what it loads.
class BrokerProcessTest {
    private static final Pattern ADDRESS = Pattern.compile("listens on +(127\\.0\\.0\\.1:[1-9][0-9]*)\n");
    private static final Pattern LAST_LINE = Pattern.compile("sluice consume first --to-end");

    /// What a broker has no use for: clients, terminals, the other commands, a parser of command lines or of XML.
    private static final List<String> STRANGERS = List.of(
            "org.apache.kafka.clients.producer.",
            "org.apache.kafka.clients.consumer.",
            "org.apache.kafka.clients.admin.",
            "org.apache.kafka.clients.NetworkClient",
            "org.jline.",
            "me.tongfei.",
            "picocli.",
            "dev.sluice.cli.compare.",
            "javax.xml.",
            "ch.qos.logback.classic.joran.",
            "ch.qos.logback.classic.PatternLayout",
            "dev.sluice.cli.Produc",
            "dev.sluice.cli.Consum",
            "dev.sluice.cli.Topic",
            "dev.sluice.cli.Status");

    @TempDir
    Path folder;

    @Test
    void sigtermStopsItInOrderWithExitCodeZero() throws Exception {
        try (ChildJvm broker = start("out", List.of())) {
            address(broker);
            broker.terminate();
            assertThat(broker.awaitExit()).isZero();
            assertThat(Files.readString(folder.resolve("out"))).contains("sluice: stopped\n");
        }
    }

    @Test
    void recordsSurviveAKillAndTheNextFirstScreenTellsOfIt() throws Exception {
        try (ChildJvm broker = start("first", List.of())) {
            String address = address(broker);
            SluiceRun produced = SluiceRun.with(
                    new ByteArrayInputStream("a\nb\n".getBytes(StandardCharsets.UTF_8)),
                    Map.of("SLUICE_BOOTSTRAP", address),
                    "produce",
                    "t");
            assertThat(produced.exitCode()).as(produced.err()).isZero();
            broker.kill();
        }
        try (ChildJvm broker = start("second", List.of())) {
            String address = address(broker);
            assertThat(Files.readString(folder.resolve("second"))).contains("not stopped cleanly before");
            SluiceRun consumed = SluiceRun.of("consume", "t", "--to-end", "--bootstrap", address);
            assertThat(new String(consumed.records(), StandardCharsets.UTF_8)).isEqualTo("a\nb\n");
            broker.terminate();
            assertThat(broker.awaitExit()).isZero();
        }
        try (ChildJvm broker = start("third", List.of())) {
            address(broker);
            assertThat(Files.readString(folder.resolve("third"))).contains("stopped cleanly before, nothing to repair");
        }
    }

    /// Its limit of open files is lowered to what it has open and a few more, then strangers come.
    @Test
    void whenDescriptorsAreOutStrangersAreTurnedAwayAndNothingIsLost() throws Exception {
        try (ChildJvm broker = start("out", List.of())) {
            String address = address(broker);
            SluiceRun produced = SluiceRun.with(
                    new ByteArrayInputStream("a\n".getBytes(StandardCharsets.UTF_8)),
                    Map.of("SLUICE_BOOTSTRAP", address),
                    "produce",
                    "t");
            assertThat(produced.exitCode()).as(produced.err()).isZero();
            long open;
            try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + broker.pid() + "/fd"))) {
                open = descriptors.count();
            }
            run("prlimit", "--pid", Long.toString(broker.pid()), "--nofile=" + (open + 8) + ":");

            List<Socket> admitted = new ArrayList<>();
            while (admitted.size() <= 20) {
                Socket stranger = connect(address);
                if (!isAnswered(stranger)) {
                    stranger.close();
                    break;
                }
                admitted.add(stranger);
            }
            assertThat(admitted).as("connections before one was turned away").hasSizeBetween(1, 20);
            for (Socket each : admitted) {
                assertThat(isAnswered(each)).isTrue();
            }
            assertThat(Files.readString(folder.resolve("out"))).contains("no descriptors are left (ulimit -n)");
            for (Socket each : admitted) {
                each.close();
            }
            run("prlimit", "--pid", Long.toString(broker.pid()), "--nofile=1000:");

            SluiceRun consumed = SluiceRun.of("consume", "t", "--to-end", "--bootstrap", address);
            assertThat(new String(consumed.records(), StandardCharsets.UTF_8)).isEqualTo("a\n");
            broker.terminate();
            assertThat(broker.awaitExit()).isZero();
        }
    }

    private static Socket connect(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        Socket socket = new Socket(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
        socket.setSoTimeout(60_000);
        return socket;
    }

    /// Asks which APIs there are.
    private static boolean isAnswered(Socket socket) throws IOException {
        try {
            byte[] apiVersions = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, -1, -1}; // version 0, no client id
            socket.getOutputStream().write(apiVersions);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            in.readNBytes(in.readInt());
            return true;
        } catch (EOFException | SocketException e) {
            return false;
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
    }

    @Test
    void itStartsWithoutLoadingWhatItHasNoUseFor() throws Exception {
        Path classes = folder.resolve("classes");
        try (ChildJvm broker = start("out", List.of("-Xlog:class+load:file=" + classes))) {
            address(broker);
            broker.kill();
        }
        List<String> loaded = Files.readAllLines(classes);
        assertThat(loaded).as("the log of loaded classes").anyMatch(line -> line.contains("dev.sluice.broker.Broker "));
        assertThat(loaded.stream().filter(line -> STRANGERS.stream().anyMatch(line::contains)))
                .isEmpty();
    }

    private ChildJvm start(String output, List<String> jvmOptions) throws Exception {
        return ChildJvm.start(
                folder.resolve(output),
                jvmOptions,
                Main.class,
                "broker",
                "--data",
                folder.resolve("data").toString(),
                "--listen",
                "127.0.0.1:0");
    }

    /// Waits for the whole first screen.
    private static String address(ChildJvm broker) throws Exception {
        Matcher matcher = ADDRESS.matcher(
                broker.awaitOutput(text -> LAST_LINE.matcher(text).find()));
        assertThat(matcher.find()).isTrue();
        return matcher.group(1);
    }
}
