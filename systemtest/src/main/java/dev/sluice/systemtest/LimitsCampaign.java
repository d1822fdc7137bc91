package dev.sluice.systemtest;

import dev.sluice.testbase.LoopFileSystem;
import dev.sluice.testkit.Anomaly;
import dev.sluice.testkit.History;
import dev.sluice.testkit.VirtualDisk;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// What a broker takes up, and how a client fares that does nothing wrong, while others are idle by the thousand,
/// dribble, announce what never comes, while the disk is slow, memory is little, or descriptors run out. One line a
/// step.
final class LimitsCampaign {
    /// A step: it throws a [CampaignFailure] when a promise is broken.
    @FunctionalInterface
    private interface Step {
        /// @return the figures
        String run(Path folder) throws Exception;
    }

    private static final long PROBE_NS = TimeUnit.SECONDS.toNanos(5);
    private static final long BOUND_NS = TimeUnit.SECONDS.toNanos(120);
    private static final int IDLE = 10_000;
    private static final int SLOW = 1_000;
    private static final int SLOW_BYTES = 1_000_000;
    private static final int RECEIVE_TIMEOUT_MS = 5_000;
    private static final int BOMBS_A_REQUEST = 50;
    private static final int BOMB_BYTES = 200;
    private static final int PER_ADDRESS = 4_000;

    /// A partition whose files are open.
    private static final int OPEN = 0;

    private static final long PAUSE_NS = TimeUnit.SECONDS.toNanos(30);

    private static final long DISK_BYTES_PER_SECOND = 1 << 20;
    private static final int DISK_CLIENTS = 64;
    private static final int DISK_BATCH_BYTES = 256 << 10;
    private static final long DISK_NS = TimeUnit.SECONDS.toNanos(20);

    private static final long MEMORY_BYTES = 192L << 20;
    private static final long MEMORY_LOAD_BYTES = 1L << 30;

    private static final long MOST_GROWTH_KIB = 128 << 10;

    private final Path home;

    private LimitsCampaign(Path home) {
        this.home = home;
    }

    /// Arguments: the repository's root; steps, if not all.
    static void main(String[] args) throws IOException {
        if (args.length < 1) {
            System.err.println("usage: LimitsCampaign HOME [STEP]...");
            System.exit(2);
        }
        System.exit(new LimitsCampaign(Path.of(args[0])).run(Arrays.asList(args).subList(1, args.length)) ? 0 : 1);
    }

    private boolean run(List<String> wanted) throws IOException {
        Map<String, Step> steps = new LinkedHashMap<>();
        steps.put("idle", this::idle);
        steps.put("dribble", this::dribble);
        steps.put("bombs", this::bombs);
        steps.put("descriptors", this::descriptors);
        steps.put("pause", this::pause);
        steps.put("disk", this::slowDisk);
        steps.put("memory", this::littleMemory);
        for (String name : wanted) {
            if (!steps.containsKey(name)) {
                throw CampaignFailure.usage(
                        "there is no step '" + name + "'; there are " + String.join(" ", steps.keySet()));
            }
        }
        boolean held = true;
        for (Map.Entry<String, Step> each : steps.entrySet()) {
            if (wanted.isEmpty() || wanted.contains(each.getKey())) {
                held &= run(each.getKey(), each.getValue());
            }
        }
        return held;
    }

    private static boolean run(String name, Step step) throws IOException {
        Path folder = Files.createTempDirectory("sluice-limits");
        try {
            System.out.println(name + ": " + step.run(folder));
            return true;
        } catch (Exception e) {
            System.out.println(name + ": FAILED: " + e);
            return false;
        } finally {
            VirtualDisk.remove(folder);
        }
    }

    private BrokerProcess start(Path folder, String... settings) throws IOException, InterruptedException {
        List<String> options = new ArrayList<>();
        for (String setting : settings) {
            options.addAll(List.of("--set", setting));
        }
        BrokerProcess broker = BrokerProcess.start(home, folder.resolve("data"), options, Map.of());
        try (CrashClient client = CrashClient.connect(broker.port())) {
            client.createTopic(CrashLoad.PARTITIONS);
        }
        Latencies.measure(broker.port(), 0, during(PROBE_NS / 2)); // what is compiled and made once
        return broker;
    }

    private static BooleanSupplier during(long ns) {
        long endNs = System.nanoTime() + ns;
        return () -> System.nanoTime() < endNs;
    }

    private static String mib(long kib) {
        return String.format(Locale.ROOT, "%.1f MiB", kib / 1024.0);
    }

    private static long grownKiB(Footprint before, Footprint after) {
        long grown = after.anonymousKiB() - before.anonymousKiB();
        CampaignFailure.require(grown <= MOST_GROWTH_KIB, "its own memory grew by " + mib(grown));
        return grown;
    }

    /// One of many, from addresses of their own, for there are not ports enough at one.
    private static SocketChannel connect(BrokerProcess broker, int number) throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        channel.bind(new InetSocketAddress("127.0.0." + (2 + number / PER_ADDRESS), 0));
        channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), broker.port()));
        channel.configureBlocking(false);
        return channel;
    }

    private static void closeAll(List<SocketChannel> channels) throws IOException {
        for (SocketChannel channel : channels) {
            channel.close();
        }
    }

    /// Whether its other end has closed it.
    private static boolean isClosed(SocketChannel channel) {
        try {
            return channel.read(ByteBuffer.allocate(1)) < 0;
        } catch (IOException e) {
            return true; // reset
        }
    }

    // ---- Connections

    private String idle(Path folder) throws Exception {
        List<SocketChannel> idle = new ArrayList<>();
        try (BrokerProcess broker = start(folder, "max.connections=" + (IDLE + 100))) {
            Footprint before = Footprint.of(broker);
            Latencies alone = Latencies.measure(broker.port(), 0, during(PROBE_NS));
            for (int i = 0; i < IDLE; i++) {
                idle.add(connect(broker, i));
            }
            Latencies among = Latencies.measure(broker.port(), 0, during(PROBE_NS));
            Footprint with = Footprint.of(broker);
            long open = idle.stream().filter(each -> !isClosed(each)).count();
            CampaignFailure.require(open == IDLE, "only " + open + " of " + IDLE + " connections are open");
            long grown = grownKiB(before, with);
            closeAll(idle);
            awaitDescriptors(broker, before.descriptors() + 8);
            return String.format(
                    Locale.ROOT,
                    "%d idle connections, %.1f KiB of the broker's own memory each; a healthy client alone %s, among them %s",
                    IDLE,
                    (double) grown / IDLE,
                    alone,
                    among);
        } finally {
            closeAll(idle);
        }
    }

    private static void awaitDescriptors(BrokerProcess broker, long most) throws IOException, InterruptedException {
        BooleanSupplier inTime = during(BOUND_NS);
        while (Footprint.of(broker).descriptors() > most) {
            CampaignFailure.require(inTime.getAsBoolean(), "descriptors of closed connections stay open");
            Thread.sleep(10);
        }
    }

    /// Each announces a megabyte, and brings a byte now and then.
    private String dribble(Path folder) throws Exception {
        List<SocketChannel> slow = new ArrayList<>();
        try (BrokerProcess broker = start(folder, "sluice.request.receive.timeout.ms=" + RECEIVE_TIMEOUT_MS)) {
            Footprint before = Footprint.of(broker);
            Latencies alone = Latencies.measure(broker.port(), 0, during(PROBE_NS));
            for (int i = 0; i < SLOW; i++) {
                slow.add(connect(broker, i));
                slow.getLast().write(ByteBuffer.allocate(4).putInt(SLOW_BYTES).flip());
            }
            long startNs = System.nanoTime();
            AtomicLong closedNs = new AtomicLong();
            AtomicLong most = new AtomicLong();
            AtomicReference<Throwable> failed = new AtomicReference<>();
            Thread dribbling = Thread.ofPlatform().start(() -> {
                try {
                    dribble(broker, slow, most);
                } catch (IOException | InterruptedException | RuntimeException e) {
                    failed.set(e);
                }
                closedNs.set(System.nanoTime() - startNs);
            });
            Latencies among = Latencies.measure(broker.port(), 0, dribbling::isAlive);
            dribbling.join();
            CampaignFailure.require(failed.get() == null, "dribbling failed: " + failed.get());
            long grown = most.get() - before.anonymousKiB();
            CampaignFailure.require(grown <= MOST_GROWTH_KIB, "its own memory grew by " + mib(grown));
            return String.format(
                    Locale.ROOT,
                    "%d connections that announce %d bytes and dribble: all closed after %.1f s (receive time-out %.1f s), %.1f"
                            + " KiB of memory each; a healthy client alone %s, among them %s",
                    SLOW,
                    SLOW_BYTES,
                    closedNs.get() / 1e9,
                    RECEIVE_TIMEOUT_MS / 1e3,
                    (double) grown / SLOW,
                    alone,
                    among);
        } finally {
            closeAll(slow);
        }
    }

    private static void dribble(BrokerProcess broker, List<SocketChannel> slow, AtomicLong mostKiB)
            throws IOException, InterruptedException {
        List<SocketChannel> open = new ArrayList<>(slow);
        BooleanSupplier inTime = during(BOUND_NS);
        while (!open.isEmpty()) {
            CampaignFailure.require(inTime.getAsBoolean(), open.size() + " connections that dribble stay open");
            open.removeIf(each -> {
                try {
                    each.write(ByteBuffer.allocate(1));
                    return isClosed(each);
                } catch (IOException e) {
                    return true;
                }
            });
            mostKiB.accumulateAndGet(Footprint.of(broker).anonymousKiB(), Math::max);
            Thread.sleep(100);
        }
    }

    /// Every request of the protocol with a body that claims two thousand million of everything.
    private String bombs(Path folder) throws Exception {
        try (BrokerProcess broker = start(folder)) {
            Footprint before = Footprint.of(broker);
            long sent = 0;
            for (ApiKeys api : ApiKeys.clientApis()) {
                for (int i = 0; i < BOMBS_A_REQUEST; i++) {
                    sent += explode(broker, api, i % 4);
                }
            }
            Latencies.measure(broker.port(), 0, during(PROBE_NS / 5));
            long grown = grownKiB(before, Footprint.of(broker));
            CampaignFailure.require(!broker.screen().contains("OutOfMemoryError"), "memory ran out");
            return String.format(
                    Locale.ROOT,
                    "%d requests of %d bytes that claim gigabytes: its own memory grew by %s, %.1f bytes a byte sent",
                    sent / BOMB_BYTES,
                    BOMB_BYTES,
                    mib(grown),
                    Math.max(0, grown) * 1024.0 / sent);
        }
    }

    private static long explode(BrokerProcess broker, ApiKeys api, int shift) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(BOMB_BYTES).putInt(BOMB_BYTES - Integer.BYTES);
        frame.putShort(api.id).putShort(api.latestVersion(false)).putInt(1).putShort((short) -1);
        frame.put(new byte[1 + shift]);
        while (frame.remaining() >= Integer.BYTES) {
            frame.putInt(Integer.MAX_VALUE);
        }
        try (SocketChannel channel =
                SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), broker.port()))) {
            channel.write(frame.rewind());
            channel.shutdownOutput();
            ByteBuffer answer = ByteBuffer.allocate(4096);
            while (channel.read(answer.clear()) >= 0) {}
        } catch (IOException e) {
            // Reset: closed before it had read all.
        }
        return BOMB_BYTES;
    }

    private String descriptors(Path folder) throws Exception {
        List<SocketChannel> strangers = new ArrayList<>();
        try (BrokerProcess broker = start(folder);
                CrashClient known = CrashClient.connect(broker.port())) {
            CrashClient.ProducerIdentity producer = known.newProducer();
            limitDescriptors(broker, Footprint.of(broker).descriptors() + 20);
            boolean refused = false;
            for (int i = 0; i < 100 && !refused; i++) {
                strangers.add(connect(broker, i));
                try (CrashClient probe = CrashClient.connect(broker.port())) {
                    probe.endOffset(0);
                } catch (IOException e) {
                    refused = true;
                }
            }
            CampaignFailure.require(refused, "100 connections found descriptors where 20 were left");
            long end = known.endOffset(OPEN);
            for (int sequence = 0; sequence < 100; sequence++) {
                CrashClient.Stored stored = known.produce(OPEN, producer, sequence, List.of(new byte[1000]));
                CampaignFailure.require(
                        stored.error() == Errors.NONE && stored.baseOffset() == end + sequence,
                        "who was there before is refused: " + stored);
            }
            Errors unopened = known.produce(OPEN + 1, producer, 0, List.of(new byte[1000]))
                    .error();
            closeAll(strangers);
            long startNs = System.nanoTime();
            awaitServed(broker, end + 100);
            double seconds = (System.nanoTime() - startNs) / 1e9;
            return String.format(
                    Locale.ROOT,
                    "no descriptors left after %d connections: 100 of 100 records of a client that was there stored; a"
                            + " partition whose files are not open answers %s; the next client served %.3f s after the"
                            + " others had gone",
                    strangers.size(),
                    unopened,
                    seconds);
        } finally {
            closeAll(strangers);
        }
    }

    private static void awaitServed(BrokerProcess broker, long endOffset) throws InterruptedException {
        BooleanSupplier inTime = during(BOUND_NS);
        while (true) {
            try (CrashClient next = CrashClient.connect(broker.port())) {
                CampaignFailure.require(next.endOffset(OPEN) == endOffset, "records are missing");
                Errors again = next.produce(OPEN + 1, next.newProducer(), 0, List.of(new byte[1000]))
                        .error();
                CampaignFailure.require(again == Errors.NONE, "a partition goes on refusing: " + again);
                return;
            } catch (IOException e) {
                CampaignFailure.require(inTime.getAsBoolean(), "nobody is taken any more");
                Thread.sleep(1);
            }
        }
    }

    private static void limitDescriptors(BrokerProcess broker, long most) {
        Processes.run(
                        Duration.ofSeconds(10),
                        List.of("prlimit", "--pid", Long.toString(broker.pid()), "--nofile=" + most + ":"))
                .orThrow("prlimit");
    }

    // ---- The machine

    /// As when the machine under a virtual one is moved.
    private String pause(Path folder) throws Exception {
        History history = new History(1);
        try (BrokerProcess broker = start(folder)) {
            long[] ends = new long[CrashLoad.PARTITIONS];
            try (CrashClient client = CrashClient.connect(broker.port())) {
                ends[OPEN] = client.endOffset(OPEN); // what was measured there is no numbered record
            }
            try (CrashLoad load = new CrashLoad(broker.port(), history, 1)) {
                load.up(ends);
                load.awaitAcknowledged(1_000, BOUND_NS);
                broker.halt();
                TimeUnit.NANOSECONDS.sleep(PAUSE_NS);
                broker.goOn();
                load.awaitAcknowledged(1_000, BOUND_NS);
                load.requireNoComplaint();
            }
            CampaignFailure.require(
                    history.anomalies().isEmpty(), history.anomalies().toString());
            return String.format(
                    Locale.ROOT,
                    "the process stopped for %d s under 8 producers: %d acknowledged, duplicated %d, reordered %d, lost %d",
                    TimeUnit.NANOSECONDS.toSeconds(PAUSE_NS),
                    history.acknowledgedRecords(),
                    history.count(Anomaly.Kind.DUPLICATED),
                    history.count(Anomaly.Kind.REORDERED),
                    history.count(Anomaly.Kind.LOST));
        }
    }

    private String slowDisk(Path folder) throws Exception {
        if (!ControlGroup.offers("blkio")) {
            return "left out: there is no blkio controller of cgroup version 1 that this user may use";
        }
        Path memory = Files.createTempDirectory(Path.of("/dev/shm"), "sluice-limits");
        try (ControlGroup group = ControlGroup.create("blkio");
                LoopFileSystem disk = LoopFileSystem.create(memory, "ext4", 1L << 30);
                BrokerProcess broker = start(disk.folder(), "sluice.flush.policy=ack")) {
            String device = Processes.run(
                            Duration.ofSeconds(10),
                            List.of("findmnt", "-nro", "MAJ:MIN", disk.folder().toString()))
                    .orThrow("findmnt")
                    .output()
                    .strip();
            Footprint before = Footprint.of(broker);
            group.set("blkio.throttle.write_bps_device", device + " " + DISK_BYTES_PER_SECOND);
            group.add(broker);
            AtomicLong acknowledged = new AtomicLong();
            AtomicLong offered = new AtomicLong();
            AtomicReference<Throwable> failed = new AtomicReference<>();
            BooleanSupplier goesOn = during(DISK_NS);
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < DISK_CLIENTS; i++) {
                int partition = i % CrashLoad.PARTITIONS;
                clients.add(Thread.ofPlatform()
                        .start(() -> press(broker.port(), partition, goesOn, offered, acknowledged, failed)));
            }
            long most = 0;
            while (clients.stream().anyMatch(Thread::isAlive)) {
                most = Math.max(most, Footprint.of(broker).anonymousKiB());
                Thread.sleep(50);
            }
            CampaignFailure.require(failed.get() == null, "a client failed: " + failed.get());
            long grown = most - before.anonymousKiB();
            CampaignFailure.require(grown <= MOST_GROWTH_KIB, "its own memory grew by " + mib(grown));
            String figures = String.format(
                    Locale.ROOT,
                    "a disk of %d KiB/s under %d producers with flush=ack: %s offered, %s acknowledged, none refused; its own"
                            + " memory grew by %s at most",
                    DISK_BYTES_PER_SECOND >> 10,
                    DISK_CLIENTS,
                    mib(offered.get() >> 10),
                    mib(acknowledged.get() >> 10),
                    mib(Math.max(0, grown)));
            group.set("blkio.throttle.write_bps_device", device + " 0");
            broker.kill();
            broker.close();
            return figures;
        } finally {
            Files.delete(memory);
        }
    }

    private static void press(
            int port,
            int partition,
            BooleanSupplier goesOn,
            AtomicLong offered,
            AtomicLong acknowledged,
            AtomicReference<Throwable> failed) {
        try (CrashClient client = CrashClient.connect(port)) {
            CrashClient.ProducerIdentity producer = client.newProducer();
            for (int sequence = 0; goesOn.getAsBoolean(); sequence++) {
                offered.addAndGet(DISK_BATCH_BYTES);
                CrashClient.Stored stored =
                        client.produce(partition, producer, sequence, List.of(new byte[DISK_BATCH_BYTES]));
                CampaignFailure.require(stored.error() == Errors.NONE, "a batch was refused: " + stored.error());
                acknowledged.addAndGet(DISK_BATCH_BYTES);
            }
        } catch (IOException | RuntimeException e) {
            failed.compareAndSet(null, e);
        }
    }

    private String littleMemory(Path folder) throws Exception {
        if (!ControlGroup.offers("memory")) {
            return "left out: there is no memory controller of cgroup version 1 that this user may use";
        }
        try (ControlGroup group = ControlGroup.create("memory");
                BrokerProcess broker = start(folder)) {
            group.set("memory.limit_in_bytes", Long.toString(MEMORY_BYTES));
            group.add(broker);
            int batchBytes = 1_000_000;
            long batches = MEMORY_LOAD_BYTES / batchBytes;
            long read = 0;
            try (CrashClient client = CrashClient.connect(broker.port())) {
                CrashClient.ProducerIdentity producer = client.newProducer();
                for (int i = 0; i < batches; i++) {
                    CrashClient.Stored stored = client.produce(1, producer, i, List.of(new byte[batchBytes]));
                    CampaignFailure.require(stored.error() == Errors.NONE, "a batch was refused: " + stored.error());
                }
                for (int i = 0; i < batches; i++) {
                    read += client.fetchBytes(1, i) >= batchBytes ? 1 : 0;
                }
            }
            CampaignFailure.require(broker.isAlive(), "the kernel has killed it");
            CampaignFailure.require(read == batches, "only " + read + " of " + batches + " batches came back");
            String figures = String.format(
                    Locale.ROOT,
                    "%d MiB for all, the page cache of its data included: %d MB produced and read back, 0 kills, the bound was"
                            + " met %d times; its own memory %s",
                    MEMORY_BYTES >> 20,
                    batches * batchBytes / 1_000_000,
                    group.number("memory.failcnt"),
                    mib(Footprint.of(broker).anonymousKiB()));
            broker.kill();
            broker.close();
            return figures;
        }
    }
}
