package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.transfer.TransferAccount.Fallback;
import dev.sluice.io.transfer.TransferException.Failure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What happens when the system refuses a method: the next one goes on where it stopped, says why, and the planner
/// remembers.
class FallbackTest extends GatedTransfers {
    private static final long LENGTH = 1_000_003;

    private Rig rig(EndType source, EndType sink) throws IOException {
        return new Rig(kernel, folder, source, sink, true, LENGTH, 0, 0);
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                Arguments.of(Method.REFLINK, EndType.FILE, EndType.FILE, Call.IOCTL, Errno.EOPNOTSUPP),
                Arguments.of(Method.REFLINK, EndType.FILE, EndType.FILE, Call.IOCTL, Errno.ENOTTY),
                Arguments.of(Method.REFLINK, EndType.FILE, EndType.FILE, Call.IOCTL, Errno.EXDEV),
                Arguments.of(Method.REFLINK, EndType.FILE, EndType.FILE, Call.IOCTL, Errno.EPERM),
                Arguments.of(Method.COPY_FILE_RANGE, EndType.FILE, EndType.FILE, Call.COPY_FILE_RANGE, Errno.EXDEV),
                Arguments.of(Method.COPY_FILE_RANGE, EndType.FILE, EndType.FILE, Call.COPY_FILE_RANGE, Errno.ENOSYS),
                Arguments.of(
                        Method.COPY_FILE_RANGE, EndType.FILE, EndType.FILE, Call.COPY_FILE_RANGE, Errno.EOPNOTSUPP),
                Arguments.of(Method.SENDFILE, EndType.FILE, EndType.TCP, Call.SENDFILE, Errno.EINVAL),
                Arguments.of(Method.SENDFILE, EndType.FILE, EndType.FILE, Call.SENDFILE, Errno.ENOSYS),
                Arguments.of(Method.SPLICE, EndType.FILE, EndType.TCP, Call.SPLICE, Errno.EINVAL),
                Arguments.of(Method.SPLICE, EndType.TCP, EndType.TCP, Call.SPLICE, Errno.EPERM),
                Arguments.of(Method.SPLICE, EndType.FILE, EndType.PIPE, Call.SPLICE, Errno.EINVAL),
                Arguments.of(Method.SPLICE, EndType.TCP, EndType.UNIX, Call.PIPE, Errno.EPERM),
                Arguments.of(Method.MMAP_WRITE, EndType.FILE, EndType.TCP, Call.MMAP, Errno.ENODEV),
                Arguments.of(Method.ZEROCOPY_SEND, EndType.MEMORY, EndType.TCP, Call.SETSOCKOPT, Errno.EOPNOTSUPP),
                Arguments.of(Method.ZEROCOPY_SEND, EndType.FILE, EndType.TCP, Call.SETSOCKOPT, Errno.ENOTSUPP),
                Arguments.of(Method.ZEROCOPY_RECEIVE, EndType.TCP, EndType.FILE, Call.MMAP, Errno.ENODEV),
                Arguments.of(Method.ZEROCOPY_RECEIVE, EndType.TCP, EndType.FILE, Call.GETSOCKOPT, Errno.EINVAL));
    }

    private static Gate refusing(Call call, int errno, EndType source) {
        return (c, subject, position, length) -> {
            boolean bufferNotSocket = c == Call.MMAP && source != EndType.FILE && subject.startsWith("anonymous");
            return c == call && !bufferNotSocket ? -errno : length;
        };
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void theNextMethodGoesOn(Method method, EndType source, EndType sink, Call call, int errno) throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(source, sink);
                Transfer transfer = rig.begin(transfers, LENGTH, TransferOptions.DEFAULT.preferring(method))) {
            rig.feed(LENGTH, false);
            rig.collect();
            gate.on(refusing(call, errno, source));
            transfer.run();
            gate.off();
            assertThat(rig.received()).isEqualTo(LENGTH);
            List<Fallback> fallbacks = transfer.account().fallbacks();
            assertThat(fallbacks).isNotEmpty();
            assertThat(fallbacks.getFirst().from()).isEqualTo(method);
            assertThat(fallbacks.getFirst().call()).contains(call);
            assertThat(fallbacks.getFirst().errno()).isEqualTo(errno);
            assertThat(fallbacks.getFirst().why()).contains(call.kernelName()).contains(Errno.name(errno));
            assertThat(fallbacks.getFirst().atByte()).isZero();
            assertThat(transfer.account().bytesByMethod()).doesNotContainKey(method);
        }
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void aStrictTransferFailsAndSaysWhy(Method method, EndType source, EndType sink, Call call, int errno)
            throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(source, sink);
                Transfer transfer = rig.begin(transfers, LENGTH, TransferOptions.DEFAULT.only(method))) {
            rig.feed(1000, false);
            gate.on(refusing(call, errno, source));
            TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
            gate.off();
            assertThat(thrown.failure()).isEqualTo(Failure.UNSUPPORTED);
            assertThat(thrown.errno()).isEqualTo(errno);
            assertThat(thrown)
                    .hasMessageContaining(method.label() + " isn't possible")
                    .hasMessageContaining(call.kernelName())
                    .hasMessageContaining(Errno.name(errno));
            assertThat(thrown.deliveredBytes()).isZero();
        }
    }

    @Test
    void aRefusalInTheMiddleLosesNoByte() throws Exception {
        for (Method method : List.of(Method.SENDFILE, Method.COPY_FILE_RANGE, Method.SPLICE)) {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(EndType.FILE, EndType.FILE);
                    Transfer transfer = rig.begin(
                            transfers,
                            LENGTH,
                            TransferOptions.DEFAULT.preferring(method).withChunkBytes(100_000))) {
                Set<Call> calls = EnumSet.of(Call.SENDFILE, Call.COPY_FILE_RANGE, Call.SPLICE);
                gate.on(ScriptedGate.failingFrom(4, Errno.EINVAL, calls));
                transfer.run();
                gate.off();
                assertThat(rig.received()).isEqualTo(LENGTH);
                assertThat(transfer.account().bytesByMethod()).containsKey(method);
                assertThat(transfer.account().fallbacks().getFirst().atByte()).isPositive();
            }
        }
    }

    @Test
    void bytesThatLieInThePipeWhenTheSinkRefusesAreCopiedOut() throws Exception {
        for (EndType source : List.of(EndType.TCP, EndType.FILE)) {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(source, EndType.TCP);
                    Transfer transfer =
                            rig.begin(transfers, LENGTH, TransferOptions.DEFAULT.preferring(Method.SPLICE))) {
                rig.feed(LENGTH, false);
                rig.collect();
                Gate sinkRefuses = (call, subject, position, length) ->
                        call == Call.SPLICE && subject.equals(rig.sink.name()) ? -Errno.EINVAL : length;
                gate.on(ScriptedGate.both(sinkRefuses, ScriptedGate.shortCounts(3)));
                transfer.run();
                gate.off();
                assertThat(rig.received()).isEqualTo(LENGTH);
                assertThat(transfer.account().fallbacks().getFirst().from()).isEqualTo(Method.SPLICE);
            }
        }
    }

    @Test
    void aPipeThatMayNotGrowIsUsedAsItIs() throws Exception {
        // EPERM: past /proc/sys/fs/pipe-max-size, or past the user's share. Then the size is asked for, and that may
        // fail too.
        for (int refused : new int[] {1, 2}) {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(EndType.FILE, EndType.TCP);
                    Transfer transfer = rig.begin(transfers, LENGTH, TransferOptions.DEFAULT.only(Method.SPLICE))) {
                rig.collect();
                int[] asked = new int[1];
                gate.on((call, subject, position, length) ->
                        call == Call.FCNTL && ++asked[0] <= refused ? -Errno.EPERM : length);
                transfer.run();
                gate.off();
                assertThat(rig.received()).isEqualTo(LENGTH);
                long pieces = (LENGTH + (refused == 1 ? 65_535 : 4095)) / (refused == 1 ? 65_536 : 4096);
                assertThat(transfer.account().calls().get(Call.SPLICE).calls()).isGreaterThanOrEqualTo(2 * pieces);
            }
        }
    }

    @Test
    void aSinkThatIsAppendedToGetsEveryByteBehindWhatItHas() throws Exception {
        // Really refused by the kernel: EINVAL by splice and sendfile, EBADF by copy_file_range and clones.
        for (Method method : Method.serving(Endpoint.Kind.FILE, Endpoint.Kind.FILE)) {
            Path log = folder.resolve("log-" + method);
            java.nio.file.Files.write(log, new byte[100]);
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = rig(EndType.FILE, EndType.FILE);
                    Endpoint.File sink = new Endpoint.File(
                            kernel.files()
                                    .open(log, Files.O_WRONLY | Files.O_APPEND, 0, kernel.account())
                                    .orThrow(),
                            100);
                    Transfer transfer =
                            transfers.begin(rig.source, sink, LENGTH, TransferOptions.DEFAULT.preferring(method))) {
                transfer.run();
                assertThat(Rig.verified(log, 100, LENGTH + 1)).as("%s", method).isEqualTo(LENGTH);
            }
        }
    }

    @Test
    void theSourceOfAFileOnAnotherSystemIsCopiedAllTheSame() throws Exception {
        // Real EXDEV: the test's folder and /dev/shm are different file systems.
        Path elsewhere = java.nio.file.Files.createTempFile(Path.of("/dev/shm"), "sluice", ".sink");
        try {
            for (Method method : List.of(Method.REFLINK, Method.COPY_FILE_RANGE)) {
                try (Transfers transfers = new Transfers(kernel);
                        Rig rig = rig(EndType.FILE, EndType.FILE);
                        Endpoint.File sink = Endpoint.openSink(kernel, elsewhere, true, kernel.account());
                        Transfer transfer =
                                transfers.begin(rig.source, sink, LENGTH, TransferOptions.DEFAULT.preferring(method))) {
                    transfer.run();
                    assertThat(transfer.account().fallbacks().getFirst().errno())
                            .isEqualTo(Errno.EXDEV);
                    assertThat(Rig.verified(elsewhere, 0, LENGTH + 1)).isEqualTo(LENGTH);
                }
            }
        } finally {
            java.nio.file.Files.delete(elsewhere);
        }
    }

    @Test
    void aFileWithoutARealLengthIsReadToItsEnd() throws Exception {
        // copy_file_range answers 0 for files of /proc, whose length is 0 and whose content isn't.
        byte[] expected = java.nio.file.Files.readAllBytes(Path.of("/proc/version"));
        for (Method method : Method.serving(Endpoint.Kind.FILE, Endpoint.Kind.FILE)) {
            Path copy = folder.resolve("version-" + method);
            try (Transfers transfers = new Transfers(kernel);
                    Endpoint.File source = Endpoint.openSource(kernel, Path.of("/proc/version"), kernel.account());
                    Endpoint.File sink = Endpoint.openSink(kernel, copy, true, kernel.account());
                    Transfer transfer = transfers.begin(
                            source, sink, Transfer.UNTIL_END, TransferOptions.DEFAULT.preferring(method))) {
                assertThat(transfer.run()).as("%s", method).isEqualTo(expected.length);
                assertThat(java.nio.file.Files.readAllBytes(copy)).isEqualTo(expected);
            }
        }
    }

    @Test
    void thePlannerRemembersARefusalBetweenTheSameFileSystems() throws Exception {
        try (Transfers transfers = new Transfers(kernel)) {
            for (int round = 0; round < 3; round++) {
                try (Rig rig = rig(EndType.FILE, EndType.TCP);
                        Transfer transfer = rig.begin(transfers, LENGTH, TransferOptions.DEFAULT)) {
                    rig.collect();
                    gate.on(refusing(Call.SENDFILE, Errno.EINVAL, EndType.FILE));
                    transfer.run();
                    boolean asked = gate.counts().containsKey(Call.SENDFILE);
                    gate.off();
                    assertThat(rig.received()).isEqualTo(LENGTH);
                    assertThat(asked).as("asked in round %d", round).isEqualTo(round == 0);
                    if (round > 0) {
                        assertThat(transfer.plan().method()).isEqualTo(Method.SPLICE);
                        assertThat(transfer.plan().ruledOut())
                                .anySatisfy(out -> assertThat(out.why()).contains("sendfile said EINVAL"));
                    }
                }
            }
        }
    }

    @Test
    void whatIsAboutOneFileIsNotRemembered() throws Exception {
        try (Transfers transfers = new Transfers(kernel)) {
            Plan first;
            try (Rig rig = rig(EndType.FILE, EndType.FILE);
                    Transfer transfer =
                            rig.begin(transfers, LENGTH, TransferOptions.DEFAULT.preferring(Method.REFLINK))) {
                first = transfers.plan(rig.source, rig.sink, LENGTH, TransferOptions.DEFAULT);
                gate.on(refusing(Call.IOCTL, Errno.ETXTBSY, EndType.FILE));
                transfer.run();
                gate.off();
                assertThat(transfers.plan(rig.source, rig.sink, LENGTH, TransferOptions.DEFAULT))
                        .isEqualTo(first);
            }
        }
    }

    @Test
    void outOfMapsATransferReads() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = rig(EndType.FILE, EndType.TCP);
                Transfer transfer =
                        rig.begin(transfers, LENGTH, TransferOptions.DEFAULT.preferring(Method.MMAP_WRITE))) {
            while (transfers.maps.take()) {
                // as if other transfers held them all
            }
            rig.collect();
            transfer.run();
            assertThat(rig.received()).isEqualTo(LENGTH);
            assertThat(transfer.account().fallbacks().getFirst().why())
                    .contains("mmap")
                    .contains("ENOMEM");
        }
    }

    @Test
    void whenTheKernelCopiesAfterAllZeroCopyIsGivenUp() throws Exception {
        // Loopback always copies and says so.
        for (EndType source : List.of(EndType.MEMORY, EndType.FILE)) {
            try (Transfers transfers = new Transfers(kernel);
                    Rig rig = new Rig(kernel, folder, source, EndType.TCP, false, 40_000_000, 0, 0);
                    Transfer transfer = rig.begin(
                            transfers, 40_000_000, TransferOptions.DEFAULT.preferring(Method.ZEROCOPY_SEND))) {
                rig.collect();
                transfer.run();
                assertThat(rig.received()).isEqualTo(40_000_000);
                TransferAccount account = transfer.account();
                assertThat(account.copiedAfterAllBytes().value()).isPositive();
                assertThat(account.fallbacks()).hasSize(1);
                assertThat(account.fallbacks().getFirst().why()).contains("COPIED");
                assertThat(account.bytesByMethod())
                        .containsOnlyKeys(
                                Method.ZEROCOPY_SEND, source == EndType.MEMORY ? Method.WRITE : Method.READ_WRITE);
            }
        }
    }

    @Test
    void whenNothingCanBeMappedZeroCopyReceiveIsGivenUp() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.TCP, EndType.FILE, true, 0, 0, 0);
                Transfer transfer =
                        rig.begin(transfers, 8_000_000, TransferOptions.DEFAULT.preferring(Method.ZEROCOPY_RECEIVE))) {
            rig.feed(8_000_000, false); // send over loopback: parts of compound pages
            transfer.run();
            assertThat(rig.received()).isEqualTo(8_000_000);
            assertThat(transfer.account().bytesByMethod()).containsOnlyKeys(Method.ZEROCOPY_RECEIVE, Method.READ_WRITE);
            assertThat(transfer.account().bytesByMethod().get(Method.ZEROCOPY_RECEIVE))
                    .isLessThan(2_000_000);
        }
    }
}
