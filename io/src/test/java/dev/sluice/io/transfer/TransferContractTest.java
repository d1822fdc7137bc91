package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.transfer.TransferException.Failure;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What every method owes its callers, between every pair of ends that it serves, blocking or not. REFLINK needs a file
/// system that has it: [ReflinkTest].
class TransferContractTest extends GatedTransfers {
    private static final long[] LENGTHS = {0, 1, 4095, 4096, 4097, 100_003, (3 << 20) + 7};
    private static final long POSITION = 12_345;

    /// A method between two types of ends.
    record Case(Method method, EndType source, EndType sink, boolean blocking) {
        @Override
        public String toString() {
            return method.label() + " " + source + " → " + sink + (blocking ? ", blocking" : ", non-blocking");
        }
    }

    static Stream<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (Method method : Method.values()) {
            for (EndType source : EndType.values()) {
                for (EndType sink : EndType.values()) {
                    if (method != Method.REFLINK && serves(method, source, sink)) {
                        cases.add(new Case(method, source, sink, true));
                        cases.add(new Case(method, source, sink, false));
                    }
                }
            }
        }
        return cases.stream();
    }

    private static boolean serves(Method method, EndType source, EndType sink) {
        boolean tcpOnly = (method == Method.ZEROCOPY_SEND && (sink != EndType.TCP || source == EndType.PIECES))
                || (method == Method.ZEROCOPY_RECEIVE && source != EndType.TCP);
        return method.serves(source.kind, sink.kind) && !tcpOnly;
    }

    static Stream<Case> casesFromFile() {
        return cases().filter(c -> c.source() == EndType.FILE);
    }

    static Stream<Case> casesToFile() {
        return cases().filter(c -> c.sink() == EndType.FILE);
    }

    static Stream<Case> casesFromStream() {
        return cases().filter(c -> c.source() != EndType.FILE && c.source().kind != Endpoint.Kind.MEMORY);
    }

    static Stream<Case> casesToStream() {
        return cases().filter(c -> c.sink() != EndType.FILE && c.sink().kind != Endpoint.Kind.MEMORY);
    }

    private Rig rig(Case given, long lengthBytes) throws IOException {
        return new Rig(
                kernel, folder, given.source(), given.sink(), given.blocking(), lengthBytes, POSITION, 2 * POSITION);
    }

    /// Moves content through `script` and says how many right bytes came.
    private long moved(Case given, long lengthBytes, Gate script) throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(given, lengthBytes);
                Transfer transfer = rig.begin(transfers, lengthBytes, TransferOptions.DEFAULT.only(given.method()))) {
            rig.feed(lengthBytes, false);
            rig.collect();
            gate.on(script);
            assertThat(transfer.run()).isEqualTo(lengthBytes);
            gate.off();
            assertThat(transfer.inFlightBytes()).isZero();
            assertThat(transfer.account().bytesByMethod().values().stream()
                            .mapToLong(Long::longValue)
                            .sum())
                    .isEqualTo(lengthBytes);
            return rig.received();
        }
    }

    @Nested
    class Moves {
        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#cases")
        void everyByteAtAnyLength(Case given) throws Exception {
            for (long length : LENGTHS) {
                assertThat(moved(given, length, Gate.OPEN))
                        .as("%d bytes", length)
                        .isEqualTo(length);
            }
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#cases")
        void everyByteThroughShortCounts(Case given) throws Exception {
            long seed = System.nanoTime();
            assertThat(moved(given, 1_000_003, ScriptedGate.shortCounts(seed)))
                    .as("seed %d", seed)
                    .isEqualTo(1_000_003);
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#cases")
        void everyByteThroughInterruptions(Case given) throws Exception {
            Set<Call> interrupted = EnumSet.copyOf(ScriptedGate.MOVING);
            interrupted.add(Call.POLL);
            Gate script = ScriptedGate.both(
                    ScriptedGate.failingEach(2, Errno.EINTR, interrupted), ScriptedGate.shortCounts(1));
            assertThat(moved(given, 500_001, script)).isEqualTo(500_001);
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#cases")
        void everyByteWhenEndsAreNotReady(Case given) throws Exception {
            Set<Call> unready = EnumSet.copyOf(ScriptedGate.MOVING);
            unready.removeAll(Set.of(Call.PREAD, Call.PWRITE, Call.COPY_FILE_RANGE));
            if (given.source() == EndType.FILE && given.sink() == EndType.FILE) {
                return; // files are always ready
            }
            Gate script =
                    ScriptedGate.both(ScriptedGate.failingEach(3, Errno.EAGAIN, unready), ScriptedGate.shortCounts(2));
            assertThat(moved(given, 500_001, script)).isEqualTo(500_001);
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#cases")
        void allThereIsWhenNoLengthIsNamed(Case given) throws Exception {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(given, 700_001);
                    Transfer transfer =
                            rig.begin(transfers, Transfer.UNTIL_END, TransferOptions.DEFAULT.only(given.method()))) {
                rig.feed(700_001, true);
                rig.collect();
                assertThat(transfer.run()).isEqualTo(700_001);
                assertThat(rig.received()).isEqualTo(700_001);
            }
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#casesFromFile")
        void onlyWhatWasAskedForOfAFileThatGrows(Case given) throws Exception {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(given, 1_000_000);
                    Transfer transfer = rig.begin(
                            transfers,
                            1_000_000,
                            TransferOptions.DEFAULT.only(given.method()).withChunkBytes(65_536))) {
                rig.collect();
                gate.on(ScriptedGate.before(3, () -> resize(rig.sourcePath, POSITION + 5_000_000)));
                assertThat(transfer.run()).isEqualTo(1_000_000);
                assertThat(rig.received()).isEqualTo(1_000_000);
            }
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#cases")
        void stepByStepWithoutWaiting(Case given) throws Exception {
            if (given.blocking()) {
                return;
            }
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(given, 1_000_003);
                    Transfer transfer = rig.begin(
                            transfers,
                            1_000_003,
                            TransferOptions.DEFAULT.only(given.method()).withChunkBytes(32_768))) {
                rig.feed(1_000_003, false);
                rig.collect();
                Transfer.Progress progress;
                do {
                    long before = transfer.deliveredBytes();
                    progress = transfer.step(50_000);
                    assertThat(transfer.deliveredBytes() - before).isLessThanOrEqualTo(50_000);
                    Thread.onSpinWait();
                } while (progress != Transfer.Progress.DONE);
                assertThat(rig.received()).isEqualTo(1_000_003);
            }
        }
    }

    @Nested
    class Accounts {
        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#cases")
        void everyCallOnce(Case given) throws Exception {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(given, 1_000_003)) {
                rig.feed(1_000_003, false);
                rig.collect();
                gate.on(Gate.OPEN);
                TransferAccount account;
                try (Transfer transfer =
                        rig.begin(transfers, 1_000_003, TransferOptions.DEFAULT.only(given.method()))) {
                    transfer.run();
                    Map<Call, Long> passed = gate.counts();
                    gate.off();
                    account = transfer.account();
                    Map<Call, Long> counted = new EnumMap<>(Call.class);
                    account.calls().forEach((call, count) -> counted.put(call, count.calls()));
                    assertThat(counted).isEqualTo(passed);
                }
                assertThat(account.deliveredBytes().value()).isEqualTo(1_000_003);
                assertThat(account.modeSwitches().value())
                        .isEqualTo(2.0 * account.systemCalls().value());
                assertThat(account.bytesByMethod()).containsOnlyKeys(given.method());
            }
        }
    }

    @Nested
    class Fails {
        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#casesFromFile")
        void whenTheFileIsTruncatedMeanwhile(Case given) throws Exception {
            long length = 2_000_000;
            long kept = 600_001; // in the middle of a page
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(given, length);
                    Transfer transfer = rig.begin(
                            transfers,
                            length,
                            TransferOptions.DEFAULT.only(given.method()).withChunkBytes(131_072))) {
                rig.collect();
                gate.on(ScriptedGate.before(3, () -> resize(rig.sourcePath, POSITION + kept)));
                TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
                gate.off();
                assertThat(thrown.failure()).as(thrown.getMessage()).isEqualTo(Failure.SOURCE_SHRANK);
                assertThat(thrown)
                        .hasMessageContaining(rig.sourcePath.toString())
                        .hasMessageContaining("ends at byte " + (POSITION + kept))
                        .hasMessageContaining("expected at least " + (POSITION + length));
                // Whatever went before the end is right; only a map can have delivered zeros from behind it, and then
                // it was said.
                assertThat(thrown.deliveredBytes()).isGreaterThanOrEqualTo(131_072);
                if (thrown.deliveredBytes() > kept) {
                    assertThat(given.method()).isEqualTo(Method.MMAP_WRITE);
                    assertThat(thrown)
                            .hasMessageContaining((thrown.deliveredBytes() - kept) + " bytes delivered may be zeros");
                }
            }
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#casesToStream")
        void whenThePeerOfTheSinkIsGone(Case given) throws Exception {
            long length = 30_000_000; // more than all buffers on the way hold
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(
                            given,
                            given.source().kind == Endpoint.Kind.MEMORY || given.source() == EndType.FILE
                                    ? length
                                    : 0);
                    Transfer transfer = rig.begin(transfers, length, TransferOptions.DEFAULT.only(given.method()))) {
                rig.feed(length, false);
                rig.collectAtMost(100_000);
                Thread resetting = new Thread(() -> {
                    try {
                        while (rig.collected() < 100_000) {
                            Thread.onSpinWait();
                        }
                        rig.resetOtherSideOf(rig.sink);
                    } catch (RuntimeException e) {
                        throw new AssertionError(e);
                    }
                });
                resetting.start();
                TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
                resetting.join();
                assertThat(thrown.failure()).isEqualTo(Failure.PEER_GONE);
                assertThat(thrown.errno()).isIn(Errno.EPIPE, Errno.ECONNRESET);
                assertThat(thrown.deliveredBytes()).isBetween(100_000L, length - 1);
                assertThat(thrown.takenBytes()).isGreaterThanOrEqualTo(thrown.deliveredBytes());
                assertThat(thrown)
                        .hasMessageContaining(thrown.deliveredBytes() + " of " + length + " bytes were delivered");
            }
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#casesFromStream")
        void whenThePeerOfTheSourceClosesTooSoon(Case given) throws Exception {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(given, 500_000);
                    Transfer transfer = rig.begin(transfers, 500_000, TransferOptions.DEFAULT.only(given.method()))) {
                rig.feed(300_000, true);
                rig.collect();
                TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
                assertThat(thrown.failure()).isEqualTo(Failure.SOURCE_CLOSED);
                assertThat(thrown.deliveredBytes()).isEqualTo(300_000);
                assertThat(thrown).hasMessageContaining("300000 of 500000 bytes were delivered");
            }
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#casesFromStream")
        void whenThePeerOfTheSourceResets(Case given) throws Exception {
            if (given.source() != EndType.TCP) {
                return; // others just close, see above
            }
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(given, 500_000);
                    Transfer transfer = rig.begin(transfers, 500_000, TransferOptions.DEFAULT.only(given.method()))) {
                rig.feed(10_000, false);
                rig.collect();
                Thread resetting = new Thread(() -> {
                    while (transfer.deliveredBytes() < 10_000) {
                        Thread.onSpinWait();
                    }
                    rig.resetOtherSideOf(rig.source);
                });
                resetting.start();
                TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
                resetting.join();
                assertThat(thrown.failure()).isEqualTo(Failure.PEER_GONE);
                assertThat(thrown.errno()).isEqualTo(Errno.ECONNRESET);
            }
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#casesToFile")
        void whenTheDiskIsFull(Case given) throws Exception {
            for (int errno : new int[] {Errno.ENOSPC, Errno.EFBIG, Errno.EDQUOT}) {
                Set<Call> writing = EnumSet.of(Call.PWRITE, Call.PWRITEV2, Call.SENDFILE, Call.COPY_FILE_RANGE);
                int[] writes = new int[1];
                String sinkName = folder.resolve("sink").toString();
                Gate script = (call, subject, position, length) -> {
                    boolean isWrite = writing.contains(call) || (call == Call.SPLICE && subject.equals(sinkName));
                    return isWrite && ++writes[0] > 2 ? -errno : length;
                };
                try (Transfers transfers = new Transfers(kernel);
                        Rig rig = rig(given, 1_000_000);
                        Transfer transfer = rig.begin(
                                transfers,
                                1_000_000,
                                TransferOptions.DEFAULT.only(given.method()).withChunkBytes(65_536))) {
                    rig.feed(1_000_000, false);
                    gate.on(script);
                    TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
                    gate.off();
                    assertThat(thrown.failure()).isEqualTo(Failure.OUT_OF_SPACE);
                    assertThat(thrown.errno()).isEqualTo(errno);
                    assertThat(thrown.deliveredBytes()).isPositive();
                    assertThat(thrown).hasMessageContaining(rig.sinkPath.toString());
                }
            }
        }

        @ParameterizedTest
        @MethodSource("dev.sluice.io.transfer.TransferContractTest#cases")
        void whenItIsCancelled(Case given) throws Exception {
            Cancellation cancellation = new Cancellation();
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(given, 1_000_000);
                    Transfer transfer = rig.begin(
                            transfers,
                            1_000_000,
                            TransferOptions.DEFAULT
                                    .only(given.method())
                                    .withChunkBytes(65_536)
                                    .withCancellation(cancellation))) {
                rig.feed(1_000_000, false);
                rig.collect();
                gate.on(ScriptedGate.before(4, cancellation::cancel));
                TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
                gate.off();
                assertThat(thrown.failure()).isEqualTo(Failure.CANCELLED);
                assertThat(thrown.deliveredBytes()).isBetween(0L, 999_999L);
                assertThat(rig.received()).isGreaterThanOrEqualTo(0);
            }
        }
    }

    private static void resize(Path path, long lengthBytes) {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(lengthBytes);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
