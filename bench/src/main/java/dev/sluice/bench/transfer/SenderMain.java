package dev.sluice.bench.transfer;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Resources;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Method;
import dev.sluice.io.transfer.Transfers;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/// A sender in a process of its own: `SenderMain FILE`. For each line `WAY CHUNK PORT` it sends the file and answers
/// `sent …` as [Sent] has it, or `unavailable WHY`. One thread, named "sender" so that a profile can be told apart from
/// the JVM's own threads.
final class SenderMain {
    private final Path path;
    private final Kernel kernel = new Kernel();
    private final Transfers transfers = new Transfers(kernel);
    private final Endpoint.File file;
    private final long sizeBytes;
    private final Map<String, Way> ways = new HashMap<>();

    private SenderMain(Path path) throws ErrnoException {
        this.path = path;
        this.file = Endpoint.openSource(kernel, path, kernel.account());
        this.sizeBytes = kernel.files().status(file.descriptor()).sizeBytes();
    }

    static void main(String[] arguments) throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread sender = new Thread(
                () -> {
                    try {
                        new SenderMain(Path.of(arguments[0])).serve();
                    } catch (Throwable t) {
                        failure.set(t);
                    }
                },
                "sender");
        sender.start();
        sender.join();
        if (failure.get() != null) {
            failure.get().printStackTrace();
            System.exit(1);
        }
        System.exit(0);
    }

    private void serve() throws IOException, ErrnoException, InterruptedException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            Way way;
            try {
                way = way(words[0]);
            } catch (IOException e) {
                System.out.println("unavailable " + e.getMessage());
                continue;
            }
            System.out.println(send(way, Integer.parseInt(words[1]), Integer.parseInt(words[2])));
        }
        for (Way way : ways.values()) {
            way.close();
        }
        transfers.close();
        file.close();
    }

    private String send(Way way, int chunkBytes, int port) throws IOException, ErrnoException, InterruptedException {
        way.connect(port);
        long wallNs = System.nanoTime();
        Resources.Totals process = kernel.resources().ofProcess();
        Resources.Totals thread = kernel.resources().ofThread();
        way.send(chunkBytes);
        // In this order, here and above: asking for the process brings the running thread's time up to date, asking for
        // the thread doesn't (thread_group_cputime and task_cputime_adjusted of kernel/sched/cputime.c).
        long processNs = cpuNs(kernel.resources().ofProcess()) - cpuNs(process);
        long threadNs = cpuNs(kernel.resources().ofThread()) - cpuNs(thread);
        wallNs = System.nanoTime() - wallNs;
        way.disconnect();
        return "sent " + sizeBytes + " " + processNs + " " + threadNs + " " + wallNs + " " + way.account();
    }

    private static long cpuNs(Resources.Totals totals) {
        return totals.userNs() + totals.systemNs();
    }

    private Way way(String name) throws IOException {
        Way known = ways.get(name);
        if (known == null) {
            known = switch (name) {
                case "sluice-sendfile" -> library(Method.SENDFILE);
                case "sluice-mmap" -> library(Method.MMAP_WRITE);
                case "sluice-splice" -> library(Method.SPLICE);
                case "sluice-readwrite" -> library(Method.READ_WRITE);
                case "jdk-transferTo" -> new JdkWay(path, JdkWay.How.TRANSFER_TO);
                case "jdk-heap" -> new JdkWay(path, JdkWay.How.HEAP);
                case "jdk-direct" -> new JdkWay(path, JdkWay.How.DIRECT);
                case "jdk-mapped" -> new JdkWay(path, JdkWay.How.MAPPED);
                case "netty-epoll" -> NettyWay.epoll(path);
                case "netty-io_uring" -> NettyWay.ioUring(path);
                default -> throw new IllegalArgumentException("No way is called " + name);
            };
            ways.put(name, known);
        }
        return known;
    }

    private LibraryWay library(Method method) {
        return new LibraryWay(kernel, transfers, file, sizeBytes, method);
    }
}
