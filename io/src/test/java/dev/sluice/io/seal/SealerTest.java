package dev.sluice.io.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.seal.SealException.Reason;
import dev.sluice.io.support.Leaks;
import dev.sluice.io.support.SwitchGate;
import dev.sluice.io.transfer.Cancellation;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Transfer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Sealed streams: what comes back, what OpenSSL makes of them, and what is noticed.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class SealerTest {
    private static final int SEGMENT = 1000;

    private final SwitchGate gate = new SwitchGate();
    private final Kernel kernel = new Kernel(gate);
    private final byte[] key = new byte[Sealer.KEY_BYTES];
    private Leaks leaks;
    private Path plain;
    private Path sealed;
    private Path opened;

    @TempDir
    Path folder;

    @BeforeEach
    void paths() {
        new Random(1).nextBytes(key);
        plain = folder.resolve("plain");
        sealed = folder.resolve("sealed");
        opened = folder.resolve("opened");
        leaks = new Leaks(kernel);
    }

    @AfterEach
    void nothingLeft() {
        gate.open();
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    private byte[] write(int lengthBytes) throws Exception {
        byte[] content = new byte[lengthBytes];
        new Random(lengthBytes).nextBytes(content);
        Files.write(plain, content);
        return content;
    }

    private Endpoint source(Path path) throws ErrnoException {
        return Endpoint.openSource(kernel, path, kernel.account());
    }

    private Endpoint sink(Path path) throws ErrnoException {
        return Endpoint.openSink(kernel, path, true, kernel.account());
    }

    private void seal(int segmentBytes) throws Exception {
        try (Sealer sealer = new Sealer(kernel, key, new SecureRandom());
                Endpoint source = source(plain);
                Endpoint sink = sink(sealed)) {
            assertThat(sealer.seal(source, sink, Transfer.UNTIL_END, segmentBytes))
                    .isEqualTo(Files.size(plain));
        }
    }

    private void open(byte[] withKey) throws Exception {
        try (Sealer sealer = new Sealer(kernel, withKey, new SecureRandom());
                Endpoint source = source(sealed);
                Endpoint sink = sink(opened)) {
            sealer.open(source, sink);
        }
    }

    /// Around every border: none, one, a segment but one, a segment, two of them.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 1_000_003})
    void whatIsSealedComesBackAndOpenSslReadsTheSame(int lengthBytes) throws Throwable {
        byte[] content = write(lengthBytes);
        seal(SEGMENT);
        assertThat(Files.size(sealed)).isEqualTo(Sealer.sealedBytes(lengthBytes, SEGMENT));
        open(key);
        assertThat(Files.readAllBytes(opened)).isEqualTo(content);
        Optional<OpenSsl> openSsl = OpenSsl.find();
        assumeTrue(openSsl.isPresent(), "libcrypto.so.3 isn't installed (package libssl3)");
        assertThat(openSsl.get().open(Files.readAllBytes(sealed), key)).isEqualTo(content);
    }

    @Test
    void eachByteIsReadOnceAndWrittenOnce() throws Exception {
        int length = 10 << 20;
        write(length);
        Account account = Account.root("seal");
        Kernel counting = new Kernel();
        try (Sealer sealer = new Sealer(counting, key, new SecureRandom());
                Endpoint source = Endpoint.openSource(counting, plain, account);
                Endpoint sink = Endpoint.openSink(counting, sealed, true, account)) {
            sealer.seal(source, sink);
        }
        assertThat(account.count(Call.PREAD).bytes()).isEqualTo(length);
        assertThat(account.count(Call.PWRITE).bytes())
                .isEqualTo(Sealer.sealedBytes(length, Sealer.DEFAULT_SEGMENT_BYTES));
        assertThat(account.count(Call.PREAD).calls()).isLessThan(200);
    }

    @Test
    void aPartOfAFileIsSealed() throws Exception {
        byte[] content = write(5 * SEGMENT);
        try (Sealer sealer = new Sealer(kernel, key, new SecureRandom());
                Endpoint.File whole = Endpoint.openSource(kernel, plain, kernel.account());
                Endpoint sink = sink(sealed)) {
            Endpoint part = new Endpoint.File(whole.descriptor(), 700);
            assertThat(sealer.seal(part, sink, 2 * SEGMENT, SEGMENT)).isEqualTo(2 * SEGMENT);
        }
        open(key);
        assertThat(Files.readAllBytes(opened)).isEqualTo(Arrays.copyOfRange(content, 700, 700 + 2 * SEGMENT));
    }

    @Test
    void aStreamThroughASocketIsOpenedAsItComes() throws Exception {
        byte[] content = write(3_000_000);
        Descriptor[] pair = kernel.sockets().pair(false, kernel.account()); // non-blocking: both sides have to wait
        CompletableFuture<Long> sealing = CompletableFuture.supplyAsync(() -> {
            try (Sealer sealer = new Sealer(kernel, key, new SecureRandom());
                    Endpoint source = source(plain)) {
                long sent = sealer.seal(source, new Endpoint.Socket(pair[0]));
                kernel.sockets().shutdown(pair[0], Sockets.SHUT_WR);
                return sent;
            } catch (ErrnoException e) {
                throw new AssertionError(e);
            }
        });
        try (Sealer sealer = new Sealer(kernel, key, new SecureRandom());
                Endpoint sink = sink(opened)) {
            assertThat(sealer.open(new Endpoint.Socket(pair[1]), sink)).isEqualTo(content.length);
        }
        sealing.get();
        pair[0].close();
        pair[1].close();
        assertThat(Files.readAllBytes(opened)).isEqualTo(content);
    }

    @Test
    void shortCountsAndInterruptionsChangeNothing() throws Exception {
        byte[] content = write(100_000);
        Random random = new Random(99);
        gate.set((call, _, _, lengthBytes) -> switch (call) {
            case PREAD, PWRITE ->
                random.nextInt(3) == 0 ? -Errno.EINTR : 1 + random.nextInt((int) Math.min(lengthBytes, 700));
            default -> lengthBytes;
        });
        seal(SEGMENT);
        open(key);
        assertThat(Files.readAllBytes(opened)).isEqualTo(content);
    }

    private void assertRefused(byte[] stream, Reason reason, long goodBytes) throws Exception {
        byte[] content = Files.readAllBytes(plain);
        Files.write(sealed, stream);
        SealException thrown = catchThrowableOfType(SealException.class, () -> open(key));
        assertThat(thrown).isNotNull();
        assertThat(thrown.reason()).isEqualTo(reason);
        assertThat(thrown.deliveredBytes()).isEqualTo(goodBytes);
        assertThat(thrown).hasMessageContaining(sealed.toString());
        assertThat(Files.readAllBytes(opened))
                .as("only verified bytes were handed out")
                .isEqualTo(Arrays.copyOf(content, (int) goodBytes));
    }

    @Test
    void everyChangedByteIsNoticed() throws Exception {
        write(3 * SEGMENT + 10);
        seal(SEGMENT);
        byte[] good = Files.readAllBytes(sealed);
        int wire = SEGMENT + 16;
        for (int at = 0; at < good.length; at += 37) {
            byte[] changed = good.clone();
            changed[at] ^= 1;
            if (at < 8) {
                assertRefused(changed, Reason.NOT_SEALED, 0);
            } else if (at >= 12) {
                assertRefused(changed, Reason.NOT_AUTHENTIC, Math.max(0, at - 44) / wire * (long) SEGMENT);
            }
        }
        byte[] longerSegments = good.clone();
        longerSegments[11] ^= 1;
        assertRefused(longerSegments, Reason.NOT_AUTHENTIC, 0);
    }

    @Test
    void aStreamThatWasCutShortIsNotTakenForWhole() throws Exception {
        write(3 * SEGMENT + 10);
        seal(SEGMENT);
        byte[] good = Files.readAllBytes(sealed);
        int wire = SEGMENT + 16;
        assertRefused(Arrays.copyOf(good, 44 + 2 * wire), Reason.TRUNCATED, SEGMENT); // between segments
        assertRefused(Arrays.copyOf(good, 44 + 2 * wire + 5), Reason.TRUNCATED, 2 * SEGMENT);
        assertRefused(Arrays.copyOf(good, 44 + 2 * wire + 100), Reason.NOT_AUTHENTIC, 2 * SEGMENT);
        assertRefused(Arrays.copyOf(good, 44), Reason.TRUNCATED, 0);
        assertRefused(Arrays.copyOf(good, 20), Reason.NOT_SEALED, 0);
        assertRefused(new byte[0], Reason.NOT_SEALED, 0);
        assertRefused(Arrays.copyOf(good, good.length + 1), Reason.NOT_AUTHENTIC, 3 * SEGMENT);
    }

    @Test
    void segmentsThatWereSwappedOrRepeatedAreNoticed() throws Exception {
        write(3 * SEGMENT);
        seal(SEGMENT);
        byte[] good = Files.readAllBytes(sealed);
        int wire = SEGMENT + 16;
        byte[] repeated = good.clone();
        System.arraycopy(good, 44, repeated, 44 + wire, wire);
        assertRefused(repeated, Reason.NOT_AUTHENTIC, SEGMENT);
        byte[] without = new byte[good.length - wire];
        System.arraycopy(good, 0, without, 0, 44);
        System.arraycopy(good, 44 + wire, without, 44, without.length - 44);
        assertRefused(without, Reason.NOT_AUTHENTIC, 0);
    }

    @Test
    void anotherKeyOpensNothing() throws Exception {
        write(10);
        seal(SEGMENT);
        byte[] other = key.clone();
        other[31] ^= 1;
        assertThat(catchThrowableOfType(SealException.class, () -> open(other)).reason())
                .isEqualTo(Reason.NOT_AUTHENTIC);
    }

    @Test
    void noTwoStreamsOfOneKeyAreAlikeAndNoNonceIsUsedTwiceInOne() throws Exception {
        write(5 * SEGMENT);
        seal(SEGMENT);
        byte[] first = Files.readAllBytes(sealed);
        seal(SEGMENT);
        byte[] second = Files.readAllBytes(sealed);
        assertThat(Arrays.copyOfRange(first, 12, 44)).isNotEqualTo(Arrays.copyOfRange(second, 12, 44));
        assertThat(Arrays.mismatch(first, 44, first.length, second, 44, second.length))
                .isZero();
        Set<String> nonces = new HashSet<>();
        for (long number = 0; number < 1000; number++) {
            assertThat(nonces.add(Arrays.toString(SealFormat.nonce(number, false))))
                    .isTrue();
            assertThat(nonces.add(Arrays.toString(SealFormat.nonce(number, true))))
                    .isTrue();
        }
        assertThat(catchThrowableOfType(IllegalStateException.class, () -> SealFormat.nonce(1L << 32, true)))
                .isNotNull();
    }

    @Test
    void aFailedEndIsToldAndACancelledStreamStops() throws Exception {
        write(10 * SEGMENT);
        gate.set((call, _, position, lengthBytes) ->
                call == Call.PWRITE && position > 5000 ? -Errno.ENOSPC : lengthBytes);
        assertThat(catchThrowableOfType(ErrnoException.class, () -> seal(SEGMENT))
                        .errno())
                .isEqualTo(Errno.ENOSPC);
        gate.open();
        assertThat(catchThrowableOfType(SealException.class, () -> open(key)).reason())
                .as("what was written isn't taken for whole")
                .isEqualTo(Reason.TRUNCATED);
        Cancellation cancellation = new Cancellation();
        try (Sealer sealer = new Sealer(kernel, key, new SecureRandom())
                        .cancelledBy(cancellation)
                        .toldTo(done -> {
                            if (done >= 3 * SEGMENT) {
                                cancellation.cancel();
                            }
                        });
                Endpoint source = source(plain);
                Endpoint sink = sink(sealed)) {
            assertThat(catchThrowableOfType(
                            CancellationException.class, () -> sealer.seal(source, sink, Transfer.UNTIL_END, SEGMENT)))
                    .isNotNull();
        }
    }
}
