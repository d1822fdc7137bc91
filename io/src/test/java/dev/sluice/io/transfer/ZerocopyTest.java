package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.Transfer.Progress;
import dev.sluice.io.transfer.TransferException.Failure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/// What zero-copy sends and receives owe beyond the contract of every method.
class ZerocopyTest extends GatedTransfers {
    private static final long PAGE = 4096;

    @Test
    void noSlotIsReadIntoBeforeTheKernelIsDoneWithIt() throws Exception {
        long chunk = 65_536;
        long length = 100 * chunk;
        AtomicBoolean withheld = new AtomicBoolean(true);
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, false, length, 0, 0);
                Transfer transfer = rig.begin(
                        transfers,
                        length,
                        TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND).withChunkBytes((int) chunk))) {
            rig.collect();
            gate.on((call, subject, position, bytes) -> call == Call.RECVMSG && withheld.get() ? -Errno.EAGAIN : bytes);
            Progress progress;
            do {
                progress = transfer.step(Long.MAX_VALUE);
                Thread.onSpinWait();
            } while (progress == Progress.SINK_BLOCKED);
            // All 32 slots were sent; all that is left to do is wait, however often one asks.
            assertThat(progress).isEqualTo(Progress.AWAITING_COMPLETIONS);
            assertThat(transfer.step(Long.MAX_VALUE)).isEqualTo(Progress.AWAITING_COMPLETIONS);
            assertThat(transfer.deliveredBytes()).isEqualTo(32 * chunk);
            assertThat(transfer.inFlightBytes()).isEqualTo(32 * chunk);
            withheld.set(false);
            transfer.run();
            gate.off();
            assertThat(transfer.inFlightBytes()).isZero();
            assertThat(rig.received()).isEqualTo(length);
        }
    }

    /// Waiting for each few pieces would be waiting for a delayed acknowledgement each time: 64 waits of 40 ms
    /// here.
    @Test
    void smallPiecesFillSegmentsInsteadOfWaitingForAcknowledgements() throws Exception {
        long length = 512 * PAGE;
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, true, length, 0, 0);
                Transfer transfer = rig.begin(
                        transfers,
                        length,
                        TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND).withChunkBytes((int) PAGE))) {
            rig.collect();
            transfer.run();
            assertThat(transfer.account().calls().get(Call.POLL))
                    .satisfiesAnyOf(
                            waits -> assertThat(waits).isNull(),
                            waits -> assertThat(waits.calls()).isLessThan(20));
            assertThat(rig.received()).isEqualTo(length);
        }
    }

    @Test
    void aTransferFromMemoryIsDoneWhenTheKernelIsDoneWithTheMemory() throws Exception {
        AtomicBoolean withheld = new AtomicBoolean(true);
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.MEMORY, EndType.TCP, true, 500_000, 0, 0);
                Transfer transfer = rig.begin(transfers, 500_000, TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND))) {
            rig.collect();
            gate.on((call, subject, position, bytes) -> call == Call.RECVMSG && withheld.get() ? -Errno.EAGAIN : bytes);
            Progress progress = transfer.step(Long.MAX_VALUE);
            assertThat(progress).isEqualTo(Progress.AWAITING_COMPLETIONS);
            assertThat(transfer.deliveredBytes()).isEqualTo(500_000);
            assertThat(transfer.inFlightBytes()).isEqualTo(500_000);
            withheld.set(false);
            transfer.run();
            assertThat(transfer.inFlightBytes()).isZero();
            assertThat(rig.received()).isEqualTo(500_000);
        }
    }

    @Test
    void completionsAreTakenInBulk() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.MEMORY, EndType.TCP, true, 4_000_000, 0, 0);
                Transfer transfer = rig.begin(
                        transfers,
                        4_000_000,
                        TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND).withChunkBytes(20_000))) {
            rig.collect();
            transfer.run();
            long sends = transfer.account().calls().get(Call.SEND).calls();
            long notifications = transfer.account().calls().get(Call.RECVMSG).calls();
            assertThat(sends).isGreaterThanOrEqualTo(200);
            assertThat(notifications).isLessThan(sends / 2);
        }
    }

    @Test
    void numbersGoOnFromOneTransferOfASocketToTheNext() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.MEMORY, EndType.TCP, true, 100_000, 0, 0)) {
            rig.drain();
            for (int round = 0; round < 3; round++) {
                try (Transfer transfer = rig.begin(
                        transfers,
                        100_000,
                        TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND).withChunkBytes(10_000))) {
                    transfer.run();
                    assertThat(transfer.inFlightBytes()).isZero();
                }
            }
        }
    }

    @Test
    void completionsOfATransferThatWasGivenUpAreNotTheNextOnes() throws Exception {
        AtomicBoolean withheld = new AtomicBoolean(true);
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, false, 2_000_000, 0, 0)) {
            rig.drain();
            gate.on((call, subject, position, bytes) -> call == Call.RECVMSG && withheld.get() ? -Errno.EAGAIN : bytes);
            try (Transfer first = rig.begin(
                    transfers,
                    1_000_000,
                    TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND).withChunkBytes(4096))) {
                first.step(100 * PAGE);
                assertThat(first.inFlightBytes()).isPositive();
            }
            withheld.set(false);
            try (Transfer second = rig.begin(
                    transfers,
                    2_000_000,
                    TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND).withChunkBytes(100_000))) {
                second.run();
                assertThat(second.inFlightBytes()).isZero();
            }
        }
    }

    @Test
    void completionsComeOverBothFamilies() throws Exception {
        for (String host : new String[] {"127.0.0.1", "::1"}) {
            InetAddress address = InetAddress.ofLiteral(host);
            Assumptions.assumeTrue(NetworkInterface.getByInetAddress(address) != null, "no interface has " + host);
            Kernel other = new Kernel();
            Descriptor[] pair = Rig.tcpPair(kernel, other, true, address);
            Thread draining = new Thread(() -> {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment piece = arena.allocate(65_536);
                    while (other.sockets().recv(pair[1], piece, 0) > 0) {
                        // goes nowhere
                    }
                }
            });
            draining.start();
            try (Arena arena = Arena.ofConfined();
                    Transfers transfers = new Transfers(kernel);
                    Endpoint.Socket sink = new Endpoint.Socket(pair[0]);
                    Transfer transfer = transfers.begin(
                            new Endpoint.Memory(arena.allocate(300_000)),
                            sink,
                            300_000,
                            TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND))) {
                transfer.run();
                assertThat(transfer.account().copiedAfterAllBytes().value())
                        .as(host)
                        .isEqualTo(300_000);
            } finally {
                pair[0].close();
                draining.join();
                pair[1].close();
            }
        }
    }

    @Test
    void withoutRoomForCompletionsTheKernelIsAskedToFinishSome() throws Exception {
        // ENOBUFS: out of option memory (net.core.optmem_max) or of locked memory.
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, true, 3_000_000, 0, 0);
                Transfer transfer = rig.begin(
                        transfers,
                        3_000_000,
                        TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND).withChunkBytes(50_000))) {
            rig.collect();
            gate.on(ScriptedGate.failingEach(3, Errno.ENOBUFS, java.util.Set.of(Call.SEND)));
            transfer.run();
            gate.off();
            assertThat(rig.received()).isEqualTo(3_000_000);
        }
    }

    @Test
    void whenAPeerIsGoneTheMemoryStillInFlightIsTold() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.MEMORY, EndType.TCP, true, 50_000_000, 0, 0);
                Transfer transfer =
                        rig.begin(transfers, 50_000_000, TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND))) {
            AtomicBoolean withheld = new AtomicBoolean(true);
            int[] sends = new int[1];
            gate.on((call, subject, position, bytes) -> {
                if (call == Call.SEND && ++sends[0] == 2) {
                    rig.resetOtherSideOf(rig.sink);
                }
                return call == Call.RECVMSG && withheld.get() ? -Errno.EAGAIN : bytes;
            });
            TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
            assertThat(thrown.failure()).isEqualTo(Failure.PEER_GONE);
            assertThat(thrown).hasMessageContaining("bytes of the memory are still the kernel's");
            assertThat(transfer.inFlightBytes()).isPositive();
            withheld.set(false);
            assertThat(transfer.inFlightBytes()).isZero();
        }
    }

    /// A connection over loopback whose receiver can map pages: whole anonymous pages of a pipe, in segments of one
    /// page each (MSS 4096, with 12 bytes of timestamps).
    private final class MappableConnection implements AutoCloseable {
        final Kernel other = new Kernel();
        final Descriptor receiver;
        final Descriptor sender;
        final Pipes.Ends pipe;

        MappableConnection() throws IOException {
            SocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            try (Descriptor listener =
                    kernel.sockets().stream(any, true, kernel.account()).orThrow()) {
                Sockets sockets = kernel.sockets();
                sockets.setOption(listener, Sockets.IPPROTO_TCP, Sockets.TCP_MAXSEG, (int) PAGE + 12);
                ErrnoException.check(sockets.bind(listener, any), Call.BIND, "any port");
                ErrnoException.check(sockets.listen(listener, 1), Call.LISTEN, "any port");
                sender = Endpoint.connect(other, sockets.localAddress(listener), true, 0, other.account())
                        .descriptor();
                receiver = sockets.accept(listener, true, kernel.account()).orThrow();
            }
            pipe = other.pipes().open(true, other.account());
        }

        /// Sends content page by page: written to the pipe, which puts each whole page into a page of its own,
        /// and spliced on.
        void send(long lengthBytes) throws IOException {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment page = arena.allocate(PAGE, PAGE);
                MemorySegment scratch = arena.allocate(16, 8);
                for (long done = 0; done < lengthBytes; ) {
                    MemorySegment part = page.asSlice(0, Math.min(PAGE, lengthBytes - done));
                    Pattern.fill(part, done);
                    ErrnoException.check(other.files().write(pipe.writeEnd(), part), Call.WRITE, "pipe");
                    for (long left = part.byteSize(); left > 0; ) {
                        left -= ErrnoException.check(
                                other.pipes()
                                        .splice(
                                                pipe.readEnd(),
                                                Pipes.NO_POSITION,
                                                sender,
                                                Pipes.NO_POSITION,
                                                left,
                                                0,
                                                scratch),
                                Call.SPLICE,
                                "sender");
                    }
                    done += part.byteSize();
                }
            }
        }

        @Override
        public void close() {
            receiver.close();
            sender.close();
            pipe.readEnd().close();
            pipe.writeEnd().close();
        }
    }

    @Test
    void pagesThatCanBeMappedAreMapped() throws Exception {
        long length = 200 * PAGE + 1234;
        Path sinkPath = folder.resolve("received");
        AtomicReference<Throwable> trouble = new AtomicReference<>();
        try (Transfers transfers = new Transfers(kernel);
                MappableConnection connection = new MappableConnection();
                Endpoint.File sink = Endpoint.openSink(kernel, sinkPath, true, kernel.account());
                Transfer transfer = transfers.begin(
                        new Endpoint.Socket(connection.receiver),
                        sink,
                        length,
                        TransferOptions.DEFAULT.only(Method.ZEROCOPY_RECEIVE))) {
            Thread sending = new Thread(() -> {
                try {
                    connection.send(length);
                } catch (IOException e) {
                    trouble.set(e);
                }
            });
            sending.start();
            transfer.run();
            sending.join();
            assertThat(trouble.get()).isNull();
            assertThat(Rig.verified(sinkPath, 0, length + 1)).isEqualTo(length);
            long copied = transfer.account().copiedAfterAllBytes().value();
            assertThat(copied).as("bytes that were not mapped").isLessThan(length);
            double expected =
                    1 + (double) copied / length; // one into the page cache, and those that weren't mapped before that
            assertThat(transfer.account().cpuCopies().value())
                    .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-9));
        }
    }

    @Test
    void mappedPagesOutliveAShortWrite() throws Exception {
        long length = 64 * PAGE;
        Path sinkPath = folder.resolve("received");
        try (Transfers transfers = new Transfers(kernel);
                MappableConnection connection = new MappableConnection();
                Endpoint.File sink = Endpoint.openSink(kernel, sinkPath, true, kernel.account());
                Transfer transfer = transfers.begin(
                        new Endpoint.Socket(connection.receiver),
                        sink,
                        length,
                        TransferOptions.DEFAULT.only(Method.ZEROCOPY_RECEIVE))) {
            connection.send(length);
            Gate shortWrites = (call, subject, position, bytes) -> call == Call.PWRITE ? Math.min(bytes, 1000) : bytes;
            gate.on(ScriptedGate.both(
                    ScriptedGate.failingEach(4, Errno.EINTR, java.util.Set.of(Call.PWRITE)), shortWrites));
            transfer.run();
            gate.off();
            assertThat(Rig.verified(sinkPath, 0, length + 1)).isEqualTo(length);
            assertThat(transfer.account().copiedAfterAllBytes().value()).isLessThan(length / 2);
        }
    }
}
