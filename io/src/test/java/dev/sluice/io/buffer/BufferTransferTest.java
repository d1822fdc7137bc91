package dev.sluice.io.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.End;
import dev.sluice.io.SluiceIo;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.support.Leaks;
import dev.sluice.io.support.SwitchGate;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Method;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.Transfer.Progress;
import dev.sluice.io.transfer.TransferAccount;
import dev.sluice.io.transfer.TransferException;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Buffers as ends of transfers. What every memory of several pieces owes is in the contract of transfers; here is what
/// buffers add: references for the time of a move, and how many calls and copies it takes.
@Timeout(180)
class BufferTransferTest {
    private static final int PIECES = 2500; // three calls

    @TempDir
    Path folder;

    private final SwitchGate gate = new SwitchGate();
    private final Kernel kernel = new Kernel(gate);
    private final Leaks leaks = new Leaks(kernel);
    private final Buffers buffers = new Buffers(kernel, LeakDetection.OFF);
    private long lost;
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();

    /// The JDK keeps a socket from the first time on that it closes one.
    @BeforeAll
    static void letTheJdkOpenWhatItKeeps() throws Exception {
        ServerSocketChannel.open().close();
        SocketChannel.open().close();
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(buffers.outstanding()).isEqualTo(lost);
        buffers.close();
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    /// A composite of many pieces, pooled or on the heap.
    private Buffer composite(int pieces, boolean onHeap) throws Exception {
        Random random = new Random(5);
        Buffer pool = buffers.allocate(100L * pieces);
        List<Buffer> parts = new ArrayList<>();
        for (int i = 0; i < pieces; i++) {
            byte[] bytes = new byte[1 + random.nextInt(99)];
            random.nextBytes(bytes);
            content.writeBytes(bytes);
            if (onHeap) {
                parts.add(buffers.wrap(bytes));
            } else {
                Buffer part = pool.slice(100L * i, bytes.length);
                part.copyFrom(0, MemorySegment.ofArray(bytes));
                parts.add(part);
            }
        }
        pool.release();
        return buffers.compose(parts);
    }

    @Test
    void aFileTakesThousandsOfNativePiecesInAFewCallsAndNoCopyOfOurs() throws Exception {
        try (SluiceIo io = new SluiceIo(kernel);
                Buffer composite = composite(PIECES, false)) {
            Path file = folder.resolve("file");
            TransferAccount account = io.move(End.of(composite), End.file(file));
            assertThat(Files.readAllBytes(file)).isEqualTo(content.toByteArray());
            assertThat(account.calls().get(Call.PWRITEV2).calls()).isEqualTo(3);
            assertThat(account.stagedBytes().value()).isZero();
            assertThat(account.cpuCopies().value()).isEqualTo(1);

            try (Buffer back = buffers.compose(buffers.allocate(1000), buffers.allocate(content.size() - 1000))) {
                assertThat(io.move(End.file(file), End.of(back))
                                .deliveredBytes()
                                .value())
                        .isEqualTo(content.size());
                assertThat(back.toArray()).isEqualTo(content.toByteArray());
            }
        }
    }

    @Test
    void whatLiesOnTheHeapIsCopiedOnceMoreAndSaidToBe() throws Exception {
        try (SluiceIo io = new SluiceIo(kernel);
                Buffer composite = composite(PIECES, true)) {
            Path file = folder.resolve("file");
            AtomicInteger calls = new AtomicInteger();
            // Whatever is cut short, no byte is staged twice.
            gate.set((call, subject, position, length) ->
                    call == Call.PWRITEV2 && calls.incrementAndGet() < 50 ? Math.max(1, length / 10) : length);
            TransferAccount account = io.move(End.of(composite), End.file(file));
            gate.open();
            assertThat(Files.readAllBytes(file)).isEqualTo(content.toByteArray());
            assertThat(calls.get()).isGreaterThan(20);
            assertThat(account.stagedBytes().value()).isEqualTo(content.size());
            assertThat(account.cpuCopies().value()).isEqualTo(2);
        }
    }

    @Test
    void aFullSocketLeavesTheRestForTheNextStep() throws Exception {
        Descriptor[] pair = kernel.sockets().pair(false, kernel.account());
        try (Transfers transfers = new Transfers(kernel);
                Arena arena = Arena.ofConfined();
                Buffer heap = buffers.wrap(new byte[3_000_000]);
                Buffer both = buffers.compose(heap.slice(0, 1_500_000), buffers.allocate(10), heap.duplicate());
                Endpoint.Memory source = both.endpoint();
                Transfer transfer = transfers.begin(
                        source, new Endpoint.Socket(pair[0]), Transfer.UNTIL_END, TransferOptions.DEFAULT)) {
            MemorySegment target = arena.allocate(1 << 20);
            Progress progress;
            int blocked = 0;
            long received = 0;
            while ((progress = transfer.step(Long.MAX_VALUE)) != Progress.DONE || received < 4_500_010) {
                blocked += progress == Progress.SINK_BLOCKED ? 1 : 0;
                long n = kernel.sockets().recv(pair[1], target, 0);
                received += Math.max(0, n);
            }
            assertThat(blocked).isPositive();
            assertThat(received).isEqualTo(4_500_010);
            assertThat(transfer.account().stagedBytes().value()).isEqualTo(4_500_000);
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }

    @Test
    void aMoveHasAReferenceOfItsOwn() throws Exception {
        AtomicInteger released = new AtomicInteger();
        AtomicBoolean early = new AtomicBoolean();
        Buffer buffer = buffers.wrap(MemorySegment.ofArray(new byte[100_000]), released::incrementAndGet);
        gate.set((call, subject, position, length) -> {
            if (call == Call.PWRITE) {
                buffer.close(); // by somebody who doesn't know of the move
                early.compareAndSet(false, released.get() > 0);
            }
            return length;
        });
        try (SluiceIo io = new SluiceIo(kernel)) {
            io.move(End.of(buffer), End.file(folder.resolve("file")));
        }
        assertThat(early).isFalse();
        assertThat(released).hasValue(1);
    }

    @Test
    void anErrorOfTheSinkReleasesTheMovesReference() throws Exception {
        AtomicInteger released = new AtomicInteger();
        try (SluiceIo io = new SluiceIo(kernel);
                Buffer buffer = buffers.wrap(MemorySegment.ofArray(new byte[100_000]), released::incrementAndGet)) {
            gate.set((call, subject, position, length) -> call == Call.PWRITE ? -Errno.ENOSPC : length);
            TransferException thrown = catchThrowableOfType(
                    TransferException.class, () -> io.move(End.of(buffer), End.file(folder.resolve("file"))));
            assertThat(thrown.failure()).isEqualTo(TransferException.Failure.OUT_OF_SPACE);
            assertThat(buffer.references()).isEqualTo(1);
        }
        assertThat(released).hasValue(1);
    }

    @Test
    void memoryThatTheKernelMayStillReadIsNeverGivenBack() throws Exception {
        AtomicInteger released = new AtomicInteger();
        try (SluiceIo io = new SluiceIo(kernel);
                Arena arena = Arena.ofShared();
                ServerSocketChannel listener =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel client = SocketChannel.open(listener.getLocalAddress());
                SocketChannel server = listener.accept()) {
            Buffer buffer = buffers.wrap(arena.allocate(100_000), released::incrementAndGet);
            // The kernel never says that it is done.
            gate.set((call, subject, position, length) -> call == Call.RECVMSG ? -Errno.EAGAIN : length);
            TransferException thrown = catchThrowableOfType(
                    TransferException.class,
                    () -> io.move(
                            End.of(buffer),
                            End.of(client),
                            100_000,
                            TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND).withTimeoutNs(1_000_000)));
            gate.open();
            assertThat(thrown).hasMessageContaining("100000 bytes of the memory are still the kernel's");
            buffer.release();
            assertThat(released).hasValue(0);
            assertThat(buffers.outstanding()).isEqualTo(1);
            lost = 1;
        }
    }
}
