package dev.sluice.io.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Method;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferException;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Transfers driven by readiness, several on one thread: what a step says to wait for is enough to go on, and waiting
/// costs nothing.
class TransferOnLoopTest {
    private static final int LENGTH = 20_000_003;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    /// A transfer on a loop: steps, then listens for what the step said.
    private static final class Driver implements ReadyListener {
        private final EventLoop loop;
        private final Transfer transfer;
        private final EventLoop.@Nullable Registration source;
        private final EventLoop.@Nullable Registration sink;
        private final Runnable done;

        @Nullable Throwable failure;

        private long steps;

        Driver(EventLoop loop, Transfer transfer, Endpoint source, Endpoint sink, Runnable done) throws ErrnoException {
            this.loop = loop;
            this.transfer = transfer;
            this.source = source instanceof Endpoint.Socket(Descriptor socket) ? loop.register(socket, 0, this) : null;
            this.sink = sink instanceof Endpoint.Socket(Descriptor socket) ? loop.register(socket, 0, this) : null;
            this.done = done;
            loop.defer(() -> ready(0));
        }

        @Override
        public void ready(int events) {
            try {
                steps++;
                Transfer.Progress progress = transfer.step(1 << 20);
                listen(source, progress == Transfer.Progress.SOURCE_BLOCKED ? Epolls.EPOLLIN : 0);
                // An error event, which completions are, comes whether asked for or not.
                listen(sink, progress == Transfer.Progress.SINK_BLOCKED ? Epolls.EPOLLOUT : 0);
                switch (progress) {
                    case DONE -> finish();
                    case YIELDED -> loop.defer(() -> ready(0));
                    case SOURCE_BLOCKED, SINK_BLOCKED, AWAITING_COMPLETIONS -> {}
                }
            } catch (TransferException | ErrnoException e) {
                failed(e);
            }
        }

        private void listen(EventLoop.@Nullable Registration registration, int events) throws ErrnoException {
            if (registration != null) {
                registration.listenFor(events);
            }
        }

        private void finish() {
            if (source != null) {
                source.cancel();
            }
            if (sink != null) {
                sink.cancel();
            }
            transfer.close();
            done.run();
        }

        @Override
        public void failed(Throwable thrown) {
            failure = thrown;
            finish();
        }
    }

    private Descriptor[] connection() throws Exception {
        SocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (Descriptor listener =
                kernel.sockets().stream(any, true, kernel.account()).orThrow()) {
            ErrnoException.check(kernel.sockets().bind(listener, any), Call.BIND, "any port");
            ErrnoException.check(kernel.sockets().listen(listener, 1), Call.LISTEN, "any port");
            Descriptor ours = Endpoint.connect(
                            kernel, kernel.sockets().localAddress(listener), false, 0, kernel.account())
                    .descriptor();
            return new Descriptor[] {
                ours, kernel.sockets().accept(listener, false, kernel.account()).orThrow()
            };
        }
    }

    private static TransferOptions by(Method method) {
        return TransferOptions.DEFAULT.only(method).withChunkBytes(65_536);
    }

    private Path content() throws Exception {
        byte[] bytes = new byte[LENGTH];
        new Random(5).nextBytes(bytes);
        return Files.write(folder.resolve("source"), bytes);
    }

    /// A file that is sent, a file that is received, two connections, and a loop that runs until three transfers
    /// are over.
    private final class Scene implements AutoCloseable {
        final Path path = content();
        final Path copy = folder.resolve("copy");
        final Descriptor[] first = connection();
        final Descriptor[] second = connection();
        final EventLoop loop = new EventLoop(kernel, kernel.account(), System::nanoTime, stray -> {
            throw new AssertionError(stray);
        });
        final Transfers transfers = new Transfers(kernel);
        final Endpoint source = Endpoint.openSource(kernel, path, kernel.account());
        final Endpoint sink = Endpoint.openSink(kernel, copy, true, kernel.account());
        private int left = 3;

        Scene() throws Exception {}

        Driver drive(Endpoint from, Endpoint to, Method method) throws Exception {
            return new Driver(loop, transfers.begin(from, to, LENGTH, by(method)), from, to, () -> {
                if (--left == 0) {
                    loop.stop();
                }
            });
        }

        @Override
        public void close() throws Exception {
            source.close();
            sink.close();
            transfers.close();
            loop.close();
            for (Descriptor descriptor : new Descriptor[] {first[0], first[1], second[0], second[1]}) {
                descriptor.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"READ_WRITE", "MMAP_WRITE", "SENDFILE", "SPLICE", "ZEROCOPY_SEND"})
    void oneThreadSendsProxiesAndReceives(Method sending) throws Exception {
        try (Scene scene = new Scene()) {
            Driver sender = scene.drive(scene.source, new Endpoint.Socket(scene.first[0]), sending);
            Driver proxy = scene.drive(
                    new Endpoint.Socket(scene.first[1]), new Endpoint.Socket(scene.second[0]), Method.SPLICE);
            Driver receiver = scene.drive(new Endpoint.Socket(scene.second[1]), scene.sink, Method.READ_WRITE);
            scene.loop.run();
            assertThat(sender.failure).isNull();
            assertThat(proxy.failure).isNull();
            assertThat(receiver.failure).isNull();
            assertThat(Files.mismatch(scene.path, scene.copy)).isEqualTo(-1);
            // Nobody spun: a step moves something or waits for an event, and an event is for at least one packet.
            assertThat(sender.steps + proxy.steps + receiver.steps).isLessThan(LENGTH / 1000);
        }
    }

    @Test
    void aPeerThatGoesAwayEndsItsTransferAndNoOther() throws Exception {
        try (Scene scene = new Scene()) {
            Descriptor broken = scene.first[1];
            Driver failing = scene.drive(scene.source, new Endpoint.Socket(scene.first[0]), Method.SENDFILE);
            Driver sender = scene.drive(scene.source, new Endpoint.Socket(scene.second[0]), Method.SENDFILE);
            Driver receiver = scene.drive(new Endpoint.Socket(scene.second[1]), scene.sink, Method.READ_WRITE);
            scene.loop.execute(() -> {
                kernel.sockets().resetOnClose(broken);
                broken.close();
            });
            scene.loop.run();
            assertThat(failing.failure)
                    .isInstanceOfSatisfying(
                            TransferException.class,
                            e -> assertThat(e.failure()).isEqualTo(TransferException.Failure.PEER_GONE));
            assertThat(sender.failure).isNull();
            assertThat(receiver.failure).isNull();
            assertThat(Files.mismatch(scene.path, scene.copy)).isEqualTo(-1);
        }
    }
}
