package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Positions and lengths that don't fit in 31 or 32 bits, on sparse files.
class TransferLargeTest {
    private static final long GIB = 1L << 30;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    @Test
    void positionsPastFourGiB() throws Exception {
        long length = 300_001;
        for (EndType sink : List.of(EndType.FILE, EndType.TCP, EndType.PIPE)) {
            for (Method method : Method.serving(Endpoint.Kind.FILE, sink.kind)) {
                if (method == Method.REFLINK) {
                    continue; // positions aren't multiples of a block; see ReflinkTest
                }
                try (Transfers transfers = new Transfers(kernel);
                        Rig rig = new Rig(kernel, folder, EndType.FILE, sink, true, length, 5 * GIB + 3, 6 * GIB + 5);
                        Transfer transfer = rig.begin(transfers, length, TransferOptions.DEFAULT.only(method))) {
                    rig.collect();
                    transfer.run();
                    assertThat(rig.received()).as("%s to %s", method, sink).isEqualTo(length);
                }
            }
        }
    }

    @Test
    void aStreamIntoAFilePastFourGiB() throws Exception {
        long length = 300_001;
        for (Method method : List.of(Method.READ_WRITE, Method.SPLICE, Method.ZEROCOPY_RECEIVE)) {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = new Rig(kernel, folder, EndType.TCP, EndType.FILE, true, length, 0, 6 * GIB + 5);
                    Transfer transfer = rig.begin(transfers, length, TransferOptions.DEFAULT.only(method))) {
                rig.feed(length, false);
                transfer.run();
                assertThat(rig.received()).as("%s", method).isEqualTo(length);
            }
        }
    }

    @Test
    void lengthsPastTwoGiBGoInAsManyCallsAsTheKernelWants() throws Exception {
        long length = 2 * GIB + 100_000; // one call moves at most 0x7ffff000
        Path path = folder.resolve("sparse");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(length);
        }
        for (Method method : List.of(Method.SENDFILE, Method.MMAP_WRITE, Method.SPLICE)) {
            Kernel other = new Kernel();
            Descriptor[] pair = Rig.tcpPair(kernel, other, true);
            AtomicLong received = new AtomicLong();
            AtomicLong wrong = new AtomicLong();
            Thread draining = new Thread(() -> {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment piece = arena.allocate(1 << 20);
                    MemorySegment zeros = arena.allocate(1 << 20);
                    long n;
                    while ((n = other.sockets().recv(pair[1], piece, 0)) > 0) {
                        received.addAndGet(n);
                        if (piece.asSlice(0, n).mismatch(zeros.asSlice(0, n)) >= 0) {
                            wrong.incrementAndGet();
                        }
                    }
                }
            });
            draining.start();
            try (Transfers transfers = new Transfers(kernel);
                    Endpoint.File source = Endpoint.openSource(kernel, path, kernel.account());
                    Endpoint.Socket sink = new Endpoint.Socket(pair[0]);
                    Transfer transfer = transfers.begin(source, sink, length, TransferOptions.DEFAULT.only(method))) {
                assertThat(transfer.run()).isEqualTo(length);
                if (method == Method.SENDFILE) {
                    assertThat(transfer.account().calls().get(Call.SENDFILE).calls())
                            .isEqualTo(2);
                }
            } finally {
                pair[0].close();
                draining.join();
                pair[1].close();
            }
            assertThat(received.get()).as("%s", method).isEqualTo(length);
            assertThat(wrong.get()).isZero();
        }
    }
}
