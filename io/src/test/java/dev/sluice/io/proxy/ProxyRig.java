package dev.sluice.io.proxy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.loop.EventLoop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// A proxy on loops of its own, in this process or alone: `main` for those who trace it.
final class ProxyRig implements AutoCloseable {
    static final int PATIENCE_MS = 120_000;

    final BlockingQueue<ConnectionReport> ended = new LinkedBlockingQueue<>();
    final List<Throwable> stray = new CopyOnWriteArrayList<>();
    final Account account = Account.root("proxy");
    final Proxy proxy;
    private final List<EventLoop> loops = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    ProxyRig(Kernel kernel, int loopCount, InetSocketAddress upstream, ProxyConfig config) throws ErrnoException {
        this(kernel, loopCount, upstream, config, System::nanoTime);
    }

    /// @param clockNs that timers go by: one of the test's own goes on no faster than the test does
    ProxyRig(Kernel kernel, int loopCount, InetSocketAddress upstream, ProxyConfig config, LongSupplier clockNs)
            throws ErrnoException {
        for (int i = 0; i < loopCount; i++) {
            EventLoop loop = new EventLoop(kernel, account, clockNs, stray::add);
            loops.add(loop);
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    loop.run();
                } catch (ErrnoException e) {
                    stray.add(e);
                }
            }));
        }
        proxy = Proxy.open(
                kernel,
                loops,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                upstream,
                config,
                clockNs,
                ended::add,
                account);
    }

    /// Prints the port, proxies one connection until its input ends, then prints how that connection ended.
    public static void main(String[] arguments) throws Exception {
        InetSocketAddress upstream =
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0]));
        try (ProxyRig rig = new ProxyRig(new Kernel(), 1, upstream, ProxyConfig.DEFAULT)) {
            System.out.println(rig.proxy.address().getPort());
            while (System.in.read() >= 0) {}
            System.out.println("ended " + rig.awaitEnd().end());
        }
    }

    Socket connect() throws IOException {
        return connect(0);
    }

    /// @param receiveBufferBytes what the kernel may keep for a client that doesn't read; 0 for its default
    Socket connect(int receiveBufferBytes) throws IOException {
        Socket socket = new Socket();
        if (receiveBufferBytes > 0) {
            socket.setReceiveBufferSize(receiveBufferBytes);
        }
        try {
            socket.setSoTimeout(PATIENCE_MS);
            socket.connect(proxy.address(), PATIENCE_MS);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    ConnectionReport awaitEnd() throws InterruptedException {
        ConnectionReport report = ended.poll(PATIENCE_MS, TimeUnit.MILLISECONDS);
        if (report == null) {
            throw new AssertionError("no connection has ended; stray: " + stray);
        }
        return report;
    }

    @Override
    public void close() {
        proxy.close();
        loops.forEach(EventLoop::stop);
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        loops.forEach(EventLoop::close);
        if (!stray.isEmpty()) {
            throw new AssertionError("on a loop", stray.getFirst());
        }
    }
}
