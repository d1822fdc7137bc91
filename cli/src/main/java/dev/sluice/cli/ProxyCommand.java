package dev.sluice.cli;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Limits;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.loop.EventLoop;
import dev.sluice.io.proxy.ConnectionReport;
import dev.sluice.io.proxy.ConnectionReport.End;
import dev.sluice.io.proxy.Proxy;
import dev.sluice.io.proxy.ProxyConfig;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice proxy LISTEN UPSTREAM`: passes TCP connections on by splice, until it is stopped.
final class ProxyCommand implements Command {
    /// Descriptors that the process needs for itself.
    private static final int OWN_DESCRIPTORS = 100;

    private static final int MOST_CONNECTIONS = 10_000;
    private static final long GRACE_NS = TimeUnit.SECONDS.toNanos(10);

    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Pass TCP connections on to another address.",
                "The kernel moves the bytes from socket to socket (splice); none enters the proxy's memory. It knows no protocol,"
                        + " so it passes any, TLS included; the upstream sees the proxy's address as its peer.");
        spec.addPositional(Specs.parameter(
                "0", "[HOST:]PORT", "Where to listen. Default host: 127.0.0.1; port 0 takes a free one and shows it."));
        spec.addPositional(Specs.parameter("1", "UPSTREAM", "Where to pass connections on to, HOST:PORT."));
        spec.addOption(Specs.number(
                "--connections", "N", "At once; more wait. Default: what the descriptors allow, 10000 at most."));
        spec.addOption(
                Specs.number("--connect-timeout", "SECONDS", "How long the upstream may take to accept. Default: 10."));
        spec.addOption(Specs.number(
                "--idle-timeout",
                "SECONDS",
                "Reset a connection on which nothing moves for so long; 0: never. Default: 600."));
        spec.addOption(Specs.number("--loops", "N", "Threads that move bytes. Default: 1."));
        spec.addOption(Specs.flag("-v, --verbose", "Print a line for each connection when it is over."));
        Specs.example(spec, "sluice proxy 0.0.0.0:8080 10.0.0.7:80");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "stopped when told so; every connection had ended"),
                        Map.entry("1", "could not start, or connections were still open 10 s after the first Ctrl-C"),
                        Map.entry("2", "bad arguments; nothing was started"),
                        Map.entry("130", "ended at once by a second Ctrl-C")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure, ErrnoException {
        InetSocketAddress listen = TransferSpecs.listenAddress(parsed.matchedPositionalValue(0, ""));
        HostPort to = HostPort.parseList(parsed.matchedPositionalValue(1, "")).getFirst();
        InetSocketAddress upstream = new InetSocketAddress(to.host(), to.port());
        if (upstream.isUnresolved()) {
            throw CommandFailure.failed("no such host: " + to.host());
        }
        Kernel kernel = new Kernel();
        ProxyConfig config = config(parsed, kernel);
        int loops = atLeast(1, "--loops", parsed.matchedOptionValue("--loops", 1));
        Tally tally = new Tally(surroundings.err(), parsed.matchedOptionValue("--verbose", false));
        CountDownLatch stopAsked = new CountDownLatch(1);
        surroundings.signals().onStop(_ -> {
            stopAsked.countDown();
            return true;
        });
        try (Running running = new Running(kernel, loops, listen, upstream, config, tally, stopAsked)) {
            surroundings
                    .out()
                    .println("listens on " + Sockets.show(running.proxy.address()) + ", passes on to "
                            + Sockets.show(upstream) + ", at most " + HumanFormat.count(config.maxConnections())
                            + " connections");
            surroundings.out().flush();
            stopAsked.await();
            running.proxy.stopAccepting();
            boolean drained = tally.awaitNone(running.proxy);
            running.proxy.close();
            tally.summary(running.account);
            if (!running.failures.isEmpty()) {
                Throwable first = running.failures.getFirst();
                throw CommandFailure.failed("the proxy could not go on: " + first, first);
            }
            return drained ? ExitCode.OK : ExitCode.FAILURE;
        } catch (InterruptedException e) {
            throw CommandFailure.failed("interrupted while the proxy ran", e);
        }
    }

    private static ProxyConfig config(ParseResult parsed, Kernel kernel) throws CommandFailure {
        long descriptors = kernel.limits().current(Limits.RLIMIT_NOFILE);
        int possible =
                Math.clamp((descriptors - OWN_DESCRIPTORS) / ProxyConfig.DESCRIPTORS_A_CONNECTION, 1, MOST_CONNECTIONS);
        return new ProxyConfig(
                atLeast(1, "--connections", parsed.matchedOptionValue("--connections", possible)),
                TimeUnit.SECONDS.toNanos(
                        atLeast(1, "--connect-timeout", parsed.matchedOptionValue("--connect-timeout", 10))),
                TimeUnit.SECONDS.toNanos(
                        atLeast(0, "--idle-timeout", parsed.matchedOptionValue("--idle-timeout", 600))));
    }

    private static int atLeast(int least, String option, int value) throws CommandFailure {
        if (value < least) {
            throw CommandFailure.usage(option + " must be at least " + least + ", not " + value);
        }
        return value;
    }

    /// A proxy with the threads of its loops.
    private static final class Running implements AutoCloseable {
        final Account account = Account.root("proxy");
        final Proxy proxy;

        /// What ended a loop or was thrown on one: nothing, unless there is a defect.
        final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());

        private final List<EventLoop> loops = new ArrayList<>();
        private final List<Thread> threads = new ArrayList<>();

        Running(
                Kernel kernel,
                int loopCount,
                InetSocketAddress listen,
                InetSocketAddress upstream,
                ProxyConfig config,
                Tally tally,
                CountDownLatch stopAsked)
                throws CommandFailure, ErrnoException {
            for (int i = 0; i < loopCount; i++) {
                EventLoop loop = new EventLoop(kernel, account, System::nanoTime, failures::add);
                loops.add(loop);
                threads.add(Thread.ofPlatform().name("sluice-proxy-" + i).start(() -> {
                    try {
                        loop.run();
                    } catch (ErrnoException e) {
                        failures.add(e);
                        stopAsked.countDown();
                    }
                }));
            }
            try {
                proxy = Proxy.open(kernel, loops, listen, upstream, config, System::nanoTime, tally::ended, account);
            } catch (ErrnoException e) {
                close();
                throw TransferSpecs.cannotListen(listen, e);
            }
        }

        @Override
        public void close() {
            loops.forEach(EventLoop::stop);
            for (Thread thread : threads) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            loops.forEach(EventLoop::close);
        }
    }

    /// Counts what ended. Thread-safe.
    private static final class Tally {
        private final PrintStream err;
        private final boolean verbose;
        private final Map<End, Long> ends = new EnumMap<>(End.class);
        private long upBytes;
        private long downBytes;

        Tally(PrintStream err, boolean verbose) {
            this.err = err;
            this.verbose = verbose;
        }

        synchronized void ended(ConnectionReport report) {
            ends.merge(report.end(), 1L, Long::sum);
            upBytes += report.upBytes();
            downBytes += report.downBytes();
            if (verbose) {
                err.println(line(report));
            }
            notifyAll();
        }

        /// Waits until no connection is open, for ten seconds at most.
        synchronized boolean awaitNone(Proxy proxy) throws InterruptedException {
            long endNs = System.nanoTime() + GRACE_NS;
            if (proxy.connections() > 0) {
                err.println("sluice: stopping; " + HumanFormat.count(proxy.connections(), "connection")
                        + " may go on for 10 s (Ctrl-C again stops at once)");
            }
            while (proxy.connections() > 0) {
                long leftMs = TimeUnit.NANOSECONDS.toMillis(endNs - System.nanoTime());
                if (leftMs <= 0) {
                    return false;
                }
                wait(leftMs);
            }
            return true;
        }

        synchronized void summary(Account account) {
            long connections = ends.values().stream().mapToLong(Long::longValue).sum();
            String how = ends.entrySet().stream()
                    .map(end -> HumanFormat.count(end.getValue()) + " " + label(end.getKey()))
                    .collect(Collectors.joining(", ", connections == 0 ? "" : " (", connections == 0 ? "" : ")"));
            err.println("sluice: passed on " + HumanFormat.count(connections, "connection") + how + ", "
                    + HumanFormat.bytes(upBytes) + " up, " + HumanFormat.bytes(downBytes) + " down, by "
                    + HumanFormat.count(account.count(Call.SPLICE).calls(), "splice")
                    + "; " + HumanFormat.bytes(copied(account)) + " through the proxy's memory");
        }

        /// Bytes that calls between a descriptor and our memory carried. The loops' own wake-ups are writes, of
        /// nobody's bytes.
        private static long copied(Account account) {
            return Stream.of(Call.READ, Call.RECV, Call.RECVMSG, Call.SEND, Call.SENDMSG)
                    .mapToLong(call -> account.count(call).bytes())
                    .sum();
        }

        private static String line(ConnectionReport report) {
            String lost = report.lostBytes() == 0 ? "" : ", " + HumanFormat.bytes(report.lostBytes()) + " lost";
            String why = report.detail().isEmpty() ? "" : " (" + report.detail() + ")";
            return report.client() + ": " + HumanFormat.bytes(report.upBytes()) + " up, "
                    + HumanFormat.bytes(report.downBytes()) + " down" + lost + ", "
                    + HumanFormat.count(report.splices(), "splice") + ", "
                    + HumanFormat.duration(Duration.ofNanos(report.durationNs())) + "; " + label(report.end()) + why;
        }

        private static String label(End end) {
            return end.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }
}
