package dev.sluice.io.shared;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.TreeSet;

/// A process at the other end of a pool, told what to do by its arguments: a socket's path and a part to play. Says
/// `ready` when it stands where it shall stand, and ends when it is killed or its standard input does.
public final class PoolPeerMain {
    static final int BUFFERS = 5;
    static final SharedPoolConfig CONFIG = new SharedPoolConfig(4096, BUFFERS);
    static final long LONG_NS = 50_000_000_000L;

    private PoolPeerMain() {}

    public static void main(String[] arguments) throws Exception {
        Kernel kernel = new Kernel();
        Account account = kernel.account();
        Descriptor socket = PeerSockets.connect(kernel, Path.of(arguments[0]), account);
        switch (arguments[1]) {
            case "hold" -> hold(accept(kernel, socket));
            case "read" -> read(accept(kernel, socket));
            case "write" -> write(offer(kernel, socket));
            case "write-three" -> writeThree(offer(kernel, socket));
            case "reopen" -> reopen(kernel, socket);
            case "refused" -> refused(kernel, socket);
            default -> throw new IllegalArgumentException(arguments[1]);
        }
        while (System.in.read() >= 0) {
            // until the end
        }
    }

    private static SharedPoolReader accept(Kernel kernel, Descriptor socket) throws IOException {
        return SharedPoolReader.accept(kernel, socket, SharedPoolReaderConfig.DEFAULT, kernel.account());
    }

    private static SharedPool offer(Kernel kernel, Descriptor socket) throws IOException {
        SharedPool pool = SharedPool.create(kernel, CONFIG, kernel.account());
        pool.attach(socket);
        return pool;
    }

    /// Receives two buffers of those that are sent, and releases the second.
    private static void hold(SharedPoolReader reader) throws IOException {
        reader.receive(LONG_NS);
        reader.release(reader.receive(LONG_NS));
        System.out.println("ready");
    }

    /// Receives and releases until it is killed, holding up to two.
    private static void read(SharedPoolReader reader) throws IOException {
        System.out.println("ready");
        Deque<SharedBuffer> held = new ArrayDeque<>();
        while (true) {
            held.add(reader.receive(LONG_NS));
            if (held.size() > 2) {
                reader.release(held.remove());
            }
        }
    }

    /// Sends numbers until it is killed.
    private static void write(SharedPool pool) throws IOException {
        System.out.println("ready");
        for (int i = 0; ; i++) {
            SharedBuffer buffer = pool.acquire(LONG_NS);
            buffer.memory().setAtIndex(ValueLayout.JAVA_INT, 0, i);
            buffer.memory().setAtIndex(ValueLayout.JAVA_INT, 1, i);
            pool.send(buffer, 8);
        }
    }

    /// Sends three buffers and fills a fourth.
    private static void writeThree(SharedPool pool) throws IOException {
        for (int i = 0; i < 3; i++) {
            SharedBuffer buffer = pool.acquire(0);
            buffer.memory().setAtIndex(ValueLayout.JAVA_INT, 0, i);
            pool.send(buffer, 4);
        }
        pool.acquire(0).memory().fill((byte) 1);
        System.out.println("ready");
    }

    /// Takes what a writer passes without a word, and tries to get at the memory of each for writing, by every
    /// mode of opening.
    private static void reopen(Kernel kernel, Descriptor socket) {
        try (Arena arena = Arena.ofConfined()) {
            var received = kernel.unixSockets().receive(socket, arena.allocate(64), 4, 0, kernel.account());
            for (Descriptor passed : received.descriptors()) {
                Set<String> outcomes = new TreeSet<>();
                for (int flags : new int[] {
                    Files.O_WRONLY,
                    Files.O_RDWR,
                    Files.O_RDWR | Files.O_APPEND,
                    Files.O_RDWR | Files.O_CREAT,
                    Files.O_RDWR | Files.O_DIRECT,
                    Files.O_WRONLY | Files.O_TRUNC,
                    Files.O_RDONLY | Files.O_TRUNC
                }) {
                    Opened opened = kernel.files()
                            .open(Path.of("/proc/self/fd/" + passed.number()), flags, 0600, kernel.account());
                    if (opened instanceof Opened.Ok(Descriptor again)) {
                        long written = kernel.files().write(again, arena.allocateFrom("scribble"));
                        boolean isTruncated = (flags & Files.O_TRUNC) != 0;
                        outcomes.add(written > 0 || isTruncated ? "written" : Errno.name((int) -written));
                    } else {
                        outcomes.add(Errno.name(opened.errno()));
                    }
                }
                System.out.println(String.join(" ", outcomes));
            }
            System.out.println("ready");
        }
    }

    private static void refused(Kernel kernel, Descriptor socket) throws ErrnoException {
        try {
            accept(kernel, socket).close();
            System.out.println("accepted");
        } catch (IOException e) {
            System.out.println(e.getMessage());
        }
    }
}
