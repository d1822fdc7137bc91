package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.TransferException.Failure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Peers that stall, deadlines, and being told to stop while waiting.
///
/// The clock is the test's. Each poll advances it by a second and is interrupted, so no test waits for real time,
/// except that calls on blocking sockets sit out their 100 ms in the kernel.
class TransferLimitsTest extends GatedTransfers {
    private static final long SECOND_NS = 1_000_000_000;
    private static final long LENGTH =
            16_000_000; // more than a loopback connection holds whose other side reads nothing

    record Case(Method method, EndType source, EndType sink, boolean blocking) {}

    /// Sinks whose other side takes nothing.
    static Stream<Case> stallingSinks() {
        List<Case> cases = new ArrayList<>();
        for (boolean blocking : new boolean[] {true, false}) {
            for (EndType sink : List.of(EndType.TCP, EndType.UNIX, EndType.PIPE)) {
                for (Method method : List.of(Method.READ_WRITE, Method.MMAP_WRITE, Method.SENDFILE, Method.SPLICE)) {
                    cases.add(new Case(method, EndType.FILE, sink, blocking));
                }
                cases.add(new Case(Method.WRITE, EndType.MEMORY, sink, blocking));
            }
            cases.add(new Case(Method.ZEROCOPY_SEND, EndType.FILE, EndType.TCP, blocking));
            cases.add(new Case(Method.ZEROCOPY_SEND, EndType.MEMORY, EndType.TCP, blocking));
        }
        return cases.stream();
    }

    /// Sources whose other side sends nothing.
    static Stream<Case> stallingSources() {
        List<Case> cases = new ArrayList<>();
        for (boolean blocking : new boolean[] {true, false}) {
            for (EndType source : List.of(EndType.TCP, EndType.UNIX, EndType.PIPE)) {
                for (EndType sink : List.of(EndType.FILE, EndType.TCP, EndType.PIPE)) {
                    cases.add(new Case(Method.READ_WRITE, source, sink, blocking));
                    cases.add(new Case(Method.SPLICE, source, sink, blocking));
                }
                cases.add(new Case(Method.READ, source, EndType.MEMORY, blocking));
            }
            cases.add(new Case(Method.ZEROCOPY_RECEIVE, EndType.TCP, EndType.FILE, blocking));
        }
        return cases.stream();
    }

    private final AtomicLong nowNs = new AtomicLong();

    private Rig rig(Case given, long lengthBytes) throws IOException {
        return new Rig(kernel, folder, given.source(), given.sink(), given.blocking(), lengthBytes, 0, 0);
    }

    /// Each wait takes a second of the test's clock. Polls that don't wait (of whether an end is ready) pass: they
    /// are made on pipes, by calls.
    private Gate eachWaitTakesASecond() {
        return (call, subject, position, length) -> {
            if (call == Call.POLL && calledFrom("Deadline")) {
                nowNs.addAndGet(SECOND_NS);
                return -Errno.EINTR;
            }
            return length;
        };
    }

    private static boolean calledFrom(String simpleClass) {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(frame -> frame.getClassName().endsWith("." + simpleClass)));
    }

    private TransferException outcome(Case given, long sourceBytes, TransferOptions options, Gate script)
            throws Exception {
        try (Transfers transfers = new Transfers(kernel, nowNs::get);
                Rig rig = rig(given, sourceBytes);
                Transfer transfer = rig.begin(transfers, LENGTH, options.only(given.method()))) {
            gate.on(script);
            TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
            gate.off();
            assertTimeoutsAreAsTheyWere(rig);
            return thrown;
        }
    }

    private static void assertTimeoutsAreAsTheyWere(Rig rig) {
        for (Endpoint end : List.of(rig.source, rig.sink)) {
            if (end instanceof Endpoint.Socket(Descriptor socket)) {
                assertThat(rig.other.sockets().timeoutNs(socket, true)).isZero();
                assertThat(rig.other.sockets().timeoutNs(socket, false)).isZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("stallingSinks")
    void aSinkThatStallsIsGivenUpAfterTheIdleTimeout(Case given) throws Exception {
        TransferException thrown = outcome(
                given, LENGTH, TransferOptions.DEFAULT.withIdleTimeoutNs(5 * SECOND_NS), eachWaitTakesASecond());
        assertThat(thrown.failure()).isEqualTo(Failure.STALLED);
        assertThat(thrown).hasMessageContaining("nothing moved for 5000 ms");
        assertThat(thrown.deliveredBytes()).isBetween(1L, LENGTH - 1);
        // The clock moved only while waiting, so it was the idle time that ended it, counted from the last byte.
        assertThat(nowNs.get()).isGreaterThanOrEqualTo(5 * SECOND_NS);
    }

    @ParameterizedTest
    @MethodSource("stallingSources")
    void aSourceThatStallsIsGivenUpAfterTheIdleTimeout(Case given) throws Exception {
        TransferException thrown = outcome(
                given, LENGTH, TransferOptions.DEFAULT.withIdleTimeoutNs(5 * SECOND_NS), eachWaitTakesASecond());
        assertThat(thrown.failure()).isEqualTo(Failure.STALLED);
        assertThat(thrown.deliveredBytes()).isZero();
        assertThat(nowNs.get()).isEqualTo(5 * SECOND_NS);
    }

    @ParameterizedTest
    @MethodSource("stallingSources")
    void theWholeMayTakeNoLongerThanTheTimeout(Case given) throws Exception {
        TransferException thrown =
                outcome(given, LENGTH, TransferOptions.DEFAULT.withTimeoutNs(3 * SECOND_NS), eachWaitTakesASecond());
        assertThat(thrown.failure()).isEqualTo(Failure.TIMED_OUT);
        assertThat(thrown).hasMessageContaining("not done within 3000 ms");
    }

    @ParameterizedTest
    @MethodSource("stallingSinks")
    void cancellingEndsAWait(Case given) throws Exception {
        Cancellation cancellation = new Cancellation();
        TransferException thrown = outcome(
                given,
                LENGTH,
                TransferOptions.DEFAULT.withCancellation(cancellation),
                (call, subject, position, length) -> {
                    if (call == Call.POLL && calledFrom("Deadline")) {
                        cancellation.cancel();
                    }
                    return length;
                });
        assertThat(thrown.failure()).isEqualTo(Failure.CANCELLED);
    }

    @Test
    void aSlowPeerThatKeepsTakingIsNotGivenUp() throws Exception {
        // Control: the idle time counts from the last byte, not from the start.
        Case given = new Case(Method.SENDFILE, EndType.FILE, EndType.TCP, false);
        long length = 20_000_000;
        try (Transfers transfers = new Transfers(kernel, nowNs::get);
                Rig rig = rig(given, length);
                Transfer transfer = rig.begin(
                        transfers,
                        length,
                        TransferOptions.DEFAULT
                                .only(Method.SENDFILE)
                                .withChunkBytes(100_000)
                                .withIdleTimeoutNs(2 * SECOND_NS))) {
            rig.collect();
            // Every call is refused once, the wait for it takes a second, and 200 calls are needed.
            Gate refuseEachOnce = ScriptedGate.failingEach(2, Errno.EAGAIN, java.util.Set.of(Call.SENDFILE));
            gate.on((call, subject, position, bytes) -> {
                if (call == Call.POLL) {
                    nowNs.addAndGet(SECOND_NS);
                }
                return refuseEachOnce.admit(call, subject, position, bytes);
            });
            assertThat(transfer.run()).isEqualTo(length);
            gate.off();
            assertThat(nowNs.get()).isGreaterThan(100 * SECOND_NS);
            assertThat(rig.received()).isEqualTo(length);
        }
    }

    @Test
    void aSinkThatGoesAwayIsNoticedWhileTheSourceIsQuiet() throws Exception {
        for (EndType sink : List.of(EndType.TCP, EndType.UNIX, EndType.PIPE)) {
            for (Method method : List.of(Method.READ_WRITE, Method.SPLICE)) {
                Case given = new Case(method, EndType.TCP, sink, false);
                try (Transfers transfers = new Transfers(kernel);
                        Rig rig = rig(given, 0);
                        Transfer transfer = rig.begin(transfers, LENGTH, TransferOptions.DEFAULT.only(method))) {
                    boolean[] reset = new boolean[1];
                    gate.on((call, subject, position, length) -> {
                        if (call == Call.POLL && !reset[0]) {
                            reset[0] = true;
                            rig.resetOtherSideOf(rig.sink);
                        }
                        return length;
                    });
                    TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
                    gate.off();
                    assertThat(thrown.failure()).as("%s to %s", method, sink).isEqualTo(Failure.PEER_GONE);
                    assertThat(thrown.errno()).isIn(Errno.EPIPE, Errno.ECONNRESET);
                }
            }
        }
    }

    @Test
    void bytesLostBetweenSourceAndSinkAreTold() throws Exception {
        Case given = new Case(Method.SPLICE, EndType.TCP, EndType.TCP, false);
        Cancellation cancellation = new Cancellation();
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(given, 0);
                Transfer transfer = rig.begin(
                        transfers,
                        LENGTH,
                        TransferOptions.DEFAULT.only(Method.SPLICE).withCancellation(cancellation))) {
            rig.feed(50_000, false);
            // What the source gave lies in our pipe, for the sink never takes it.
            gate.on((call, subject, position, length) -> {
                if (call == Call.SPLICE && subject.equals(rig.sink.name())) {
                    cancellation.cancel();
                    return -Errno.EAGAIN;
                }
                return length;
            });
            TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
            gate.off();
            assertThat(thrown.failure()).isEqualTo(Failure.CANCELLED);
            assertThat(thrown.deliveredBytes()).isZero();
            assertThat(thrown.takenBytes()).isPositive();
            assertThat(thrown)
                    .hasMessageContaining(thrown.takenBytes() + " more were taken from the source and are lost");
        }
    }

    @Test
    void aPipeWithBytesOfAFailedTransferIsNeverUsedAgain() throws Exception {
        try (Transfers transfers = new Transfers(kernel)) {
            Cancellation cancellation = new Cancellation();
            try (Rig rig = rig(new Case(Method.SPLICE, EndType.FILE, EndType.TCP, false), 200_000);
                    Transfer failing = rig.begin(
                            transfers,
                            200_000,
                            TransferOptions.DEFAULT.only(Method.SPLICE).withCancellation(cancellation))) {
                gate.on((call, subject, position, length) -> {
                    if (call == Call.SPLICE && subject.equals(rig.sink.name())) {
                        cancellation.cancel();
                        return -Errno.EAGAIN;
                    }
                    return length;
                });
                assertThat(catchThrowableOfType(TransferException.class, failing::run)
                                .failure())
                        .isEqualTo(Failure.CANCELLED);
                gate.off();
            }
            try (Rig rig = rig(new Case(Method.SPLICE, EndType.FILE, EndType.TCP, false), 100_000);
                    Transfer next = rig.begin(transfers, 100_000, TransferOptions.DEFAULT.only(Method.SPLICE))) {
                rig.collect();
                next.run();
                assertThat(rig.received()).isEqualTo(100_000);
            }
        }
    }

    @Test
    void aPooledPipeWithBytesInItWouldBeSeen() throws Exception {
        // Control of the test above: what it guards against does show.
        try (Transfers transfers = new Transfers(kernel);
                Arena arena = Arena.ofConfined();
                Rig rig = rig(new Case(Method.SPLICE, EndType.FILE, EndType.TCP, true), 100_000)) {
            PipePool.Pipe dirty = transfers.pipes.take(kernel);
            kernel.files().write(dirty.ends().writeEnd(), arena.allocateFrom("left behind"));
            transfers.pipes.give(dirty);
            try (Transfer next = rig.begin(transfers, 100_000, TransferOptions.DEFAULT.only(Method.SPLICE))) {
                rig.collect();
                next.run();
            }
            assertThat(rig.received()).isEqualTo(-1);
        }
    }

    @Test
    void aSocketsOwnTimeoutIsPutBack() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(new Case(Method.SENDFILE, EndType.FILE, EndType.TCP, true), 1000);
                Transfer transfer = rig.begin(
                        transfers,
                        1000,
                        TransferOptions.DEFAULT.only(Method.SENDFILE).withTimeoutNs(SECOND_NS))) {
            Descriptor socket = Flow.descriptor(rig.sink);
            Sockets sockets = rig.other.sockets();
            sockets.setTimeout(socket, true, 7 * SECOND_NS);
            transfer.run();
            assertThat(sockets.timeoutNs(socket, true)).isEqualTo(7 * SECOND_NS);
        }
    }
}
