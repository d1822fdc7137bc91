package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.LastingPort;
import dev.sluice.testbase.RequiresProgram;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `sluice proxy` as a process, in front of servers that people use, with the clients that people use.
@Timeout(240)
class ProxyCommandTest {
    private static final Pattern ADDRESS = Pattern.compile("listens on (127\\.0\\.0\\.1:([1-9][0-9]*)), passes on to");
    private static final int CONNECTIONS = 200;
    private static final int PATIENCE_MS = 60_000;

    @TempDir
    Path folder;

    private ChildJvm proxy(int upstreamPort) throws Exception {
        return ChildJvm.start(
                folder.resolve("proxy"), List.of(), Main.class, "proxy", "0", "127.0.0.1:" + upstreamPort, "-v");
    }

    private static Matcher address(ChildJvm proxy) throws Exception {
        Matcher matcher =
                ADDRESS.matcher(proxy.awaitOutput(text -> ADDRESS.matcher(text).find()));
        assertThat(matcher.find()).isTrue();
        return matcher;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /// Ends the proxy in order, and answers its last line.
    private String stopped(ChildJvm proxy) throws Exception {
        proxy.terminate();
        assertThat(proxy.awaitExit()).isZero();
        List<String> lines = Files.readAllLines(folder.resolve("proxy"));
        assertThat(lines.getLast()).contains("; 0 B through the proxy's memory");
        return lines.getLast();
    }

    @Test
    void kafkaClientsReachTheBrokerThroughIt() throws Exception {
        int brokerPort = LastingPort.find();
        StringBuilder lines = new StringBuilder();
        Random random = new Random(3);
        for (int i = 0; i < 40_000; i++) {
            lines.append(i).append(' ').append(random.nextLong()).append('\n');
        }
        byte[] records = lines.toString().getBytes(StandardCharsets.UTF_8);
        try (ChildJvm proxy = proxy(brokerPort)) {
            String through = address(proxy).group(1);
            try (ChildJvm broker = ChildJvm.start(
                    folder.resolve("broker"),
                    List.of(),
                    Main.class,
                    "broker",
                    "--data",
                    folder.resolve("data").toString(),
                    "--listen",
                    "127.0.0.1:" + brokerPort,
                    "--set",
                    "advertised.listeners=" + through)) {
                broker.awaitOutput(text -> text.contains("sluice consume first --to-end"));
                List<Socket> stalled = stalled(Integer.parseInt(address(proxy).group(2)));
                SluiceRun produced = SluiceRun.with(
                        new ByteArrayInputStream(records), Map.of("SLUICE_BOOTSTRAP", through), "produce", "t");
                assertThat(produced.exitCode()).as(produced.err()).isZero();
                SluiceRun consumed = SluiceRun.of("consume", "t", "--to-end", "--bootstrap", through);
                assertThat(consumed.exitCode()).as(consumed.err()).isZero();
                assertThat(sha256(consumed.records())).isEqualTo(sha256(records));
                for (Socket socket : stalled) {
                    socket.close();
                }
                broker.terminate();
                broker.awaitExit();
            }
            assertThat(stopped(proxy)).containsPattern("1\\.[0-9]+ MiB up, 1\\.[0-9]+ MiB down");
        }
    }

    /// So many clients that have sent a part of a request and nothing more, besides some that are reset at once.
    private static List<Socket> stalled(int port) throws IOException {
        List<Socket> stalled = new ArrayList<>();
        for (int i = 0; i < CONNECTIONS; i++) {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.getOutputStream().write(new byte[] {0, 0, 1, 0, 0, 18});
            if (i % 10 == 0) {
                socket.setSoLinger(true, 0);
                socket.close();
            } else {
                stalled.add(socket);
            }
        }
        return stalled;
    }

    @Test
    @RequiresProgram("nginx")
    void httpClientsGetNginxsFilesUnchanged() throws Exception {
        Map<String, String> files = new java.util.LinkedHashMap<>();
        Path html = Files.createDirectory(folder.resolve("html"));
        Random random = new Random(4);
        for (int sizeBytes : new int[] {0, 1, 4097, 300_000, 3_000_017}) {
            byte[] content = new byte[sizeBytes];
            random.nextBytes(content);
            Files.write(html.resolve("f" + sizeBytes), content);
            files.put("f" + sizeBytes, sha256(content));
        }
        int port = LastingPort.find();
        Process nginx = startNginx(html, port);
        try (ChildJvm proxy = proxy(port)) {
            Matcher address = address(proxy);
            String through = address.group(1);
            awaitHttp(through);
            int proxyPort = Integer.parseInt(address.group(2));
            List<Socket> slow = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                slow.add(asking(proxyPort, "f3000017"));
                Socket reset = asking(proxyPort, "f3000017");
                reset.getInputStream().readNBytes(10_000);
                reset.setSoLinger(true, 0);
                reset.close();
            }
            fetchAtOnce(through, files);
            for (Socket socket : slow) {
                assertThat(sha256(body(socket))).isEqualTo(files.get("f3000017"));
            }
            fetchByCurl(through, files);
            String last = stopped(proxy);
            assertThat(last).contains("10 client reset");
        } finally {
            nginx.destroy();
            nginx.waitFor();
        }
    }

    private Process startNginx(Path html, int port) throws IOException {
        Path conf = Files.writeString(folder.resolve("nginx.conf"), """
                daemon off; master_process off; pid %1$s/pid; error_log stderr;
                events { worker_connections 1000; }
                http { access_log off; sendfile on; client_body_temp_path %1$s/a; proxy_temp_path %1$s/b;
                  fastcgi_temp_path %1$s/c; uwsgi_temp_path %1$s/d; scgi_temp_path %1$s/e;
                  server { listen 127.0.0.1:%2$d backlog=1000; root %3$s; } }
                """.formatted(folder, port, html));
        return new ProcessBuilder("nginx", "-p", folder.toString(), "-e", "stderr", "-c", conf.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("nginx.log").toFile())
                .start();
    }

    /// Until nginx takes connections, the proxy resets ours.
    private static void awaitHttp(String through) throws InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            while (true) {
                try {
                    client.send(request(through, "f1"), HttpResponse.BodyHandlers.discarding());
                    return;
                } catch (IOException e) {
                    Thread.sleep(10);
                }
            }
        }
    }

    private static HttpRequest request(String through, String file) {
        return HttpRequest.newBuilder(URI.create("http://" + through + "/" + file))
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    private static void fetchAtOnce(String through, Map<String, String> files) {
        List<String> names = List.copyOf(files.keySet());
        try (HttpClient client = HttpClient.newHttpClient()) {
            List<CompletableFuture<String>> all = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                String name = names.get(i % names.size());
                all.add(client.sendAsync(request(through, name), HttpResponse.BodyHandlers.ofByteArray())
                        .thenApply(answer -> name + " " + sha256(answer.body())));
            }
            for (CompletableFuture<String> one : all) {
                String[] nameAndSum = one.join().split(" ");
                assertThat(nameAndSum[1]).as(nameAndSum[0]).isEqualTo(files.get(nameAndSum[0]));
            }
        }
    }

    private void fetchByCurl(String through, Map<String, String> files) throws Exception {
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path got = folder.resolve("got");
            Process curl = new ProcessBuilder(
                            "curl", "-sS", "--fail", "-o", got.toString(), "http://" + through + "/" + file.getKey())
                    .inheritIO()
                    .start();
            assertThat(curl.waitFor()).isZero();
            byte[] bytes = Files.exists(got) ? Files.readAllBytes(got) : new byte[0];
            assertThat(sha256(bytes)).as(file.getKey()).isEqualTo(file.getValue());
            Files.deleteIfExists(got);
        }
    }

    /// A client that has asked and doesn't read.
    private static Socket asking(int port, String file) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(16 << 10);
        socket.setSoTimeout(PATIENCE_MS);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MS);
        socket.getOutputStream()
                .write(("GET /" + file + " HTTP/1.0\r\nHost: x\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static byte[] body(Socket socket) throws IOException {
        try (socket) {
            InputStream in = socket.getInputStream();
            byte[] all = in.readAllBytes();
            for (int i = 0; i + 3 < all.length; i++) {
                if (all[i] == '\r' && all[i + 1] == '\n' && all[i + 2] == '\r' && all[i + 3] == '\n') {
                    return java.util.Arrays.copyOfRange(all, i + 4, all.length);
                }
            }
            throw new AssertionError("no end of the head in " + all.length + " bytes");
        }
    }

    @Test
    void badArgumentsAreOneLine() {
        assertThat(SluiceRun.of("proxy", "nonsense", "127.0.0.1:1").err())
                .contains("'nonsense' is not a port")
                .hasLineCount(1);
        assertThat(SluiceRun.of("proxy", "0", "127.0.0.1").exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(SluiceRun.of("proxy", "0", "127.0.0.1:1", "--loops", "0").err())
                .contains("--loops must be at least 1, not 0");
        assertThat(SluiceRun.of("proxy", "192.0.2.1:1", "127.0.0.1:1").err())
                .contains("no interface of this machine has that address");
    }
}
