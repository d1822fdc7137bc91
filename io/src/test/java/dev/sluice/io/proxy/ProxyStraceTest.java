package dev.sluice.io.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.support.ChildJvm;
import dev.sluice.testbase.RequiresProgram;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What the kernel was asked while a proxy passed 16 MiB: splices, and no call that takes payload into user space.
@Tag("strace")
@RequiresProgram("strace")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ProxyStraceTest {
    private static final int LENGTH = 16 << 20;

    /// `12  splice(9, NULL, 11, NULL, 262144, SPLICE_F_NONBLOCK) = 65536`, or `<... splice resumed>) = 65536`
    private static final Pattern SPLICED = Pattern.compile("splice(?:\\(| resumed).*\\) += (\\d+)$");

    /// Every call that could carry bytes between a TCP socket and our memory.
    private static final Pattern CARRIED =
            Pattern.compile("(read|write|recvfrom|recvmsg|sendto|sendmsg|readv|writev|preadv|pwritev)\\(\\d+<TCP");

    @TempDir
    Path folder;

    @Test
    void noPayloadEntersUserSpace() throws Exception {
        Path trace = folder.resolve("trace");
        try (ServerSocket upstream = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
                ChildJvm proxy = ChildJvm.start(
                        List.of("strace", "-f", "-yy", "-s", "8", "-o", trace.toString()),
                        ChildJvm.ownClasses(),
                        ProxyRig.class,
                        Integer.toString(upstream.getLocalPort()))) {
            int port = Integer.parseInt(proxy.line());
            try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port);
                    Socket server = upstream.accept()) {
                Future<?> sending = threads.submit(() -> {
                    client.getOutputStream().write(new byte[LENGTH]);
                    client.shutdownOutput();
                    return 0;
                });
                InputStream in = server.getInputStream();
                assertThat(in.readAllBytes()).hasSize(LENGTH);
                sending.get();
            }
            proxy.endInput();
            assertThat(proxy.rest()).contains("ended FINISHED");
        }
        long spliced = 0;
        List<String> carrying = new ArrayList<>();
        for (String line : Files.readAllLines(trace)) {
            Matcher splice = SPLICED.matcher(line);
            if (splice.find()) {
                spliced += Long.parseLong(splice.group(1));
            }
            if (CARRIED.matcher(line).find()) {
                carrying.add(line);
            }
        }
        assertThat(spliced).as("in and out").isEqualTo(2L * LENGTH);
        assertThat(carrying)
                .as("calls that move bytes of TCP sockets into our memory")
                .isEmpty();
    }
}
