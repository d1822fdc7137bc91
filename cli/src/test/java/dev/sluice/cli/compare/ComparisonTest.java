package dev.sluice.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A whole comparison of a small file: every way, checked byte by byte by the comparison itself. No time is asserted.
@Timeout(180)
class ComparisonTest {
    private static final int LENGTH_BYTES = (5 << 20) + 123;

    @TempDir
    private static Path folder;

    private static Path file;
    private static Report report;
    private static final AtomicInteger MOVES = new AtomicInteger();
    private static Comparison.Request request;

    @BeforeAll
    static void compare() throws IOException {
        byte[] bytes = new byte[LENGTH_BYTES];
        new Random(3).nextBytes(bytes);
        file = Files.write(folder.resolve("file"), bytes);
        request = new Comparison.Request(
                file, folder, List.of(16 << 10, 1 << 20), List.of(64 << 10), 2, 0, true, new Over.Loopback());
        report = Comparison.run(request, MOVES::incrementAndGet, () -> false);
    }

    @Test
    void everyWayHasFiguresOfEveryRunOrAReason() {
        assertThat(report.rows()).allSatisfy(row -> {
            if (row.unavailable().isPresent()) {
                assertThat(row.runs()).isZero();
                assertThat(row.unavailable().get()).isNotBlank();
            } else {
                assertThat(row.runs()).isEqualTo(2);
                assertThat(row.bytesPerRun()).isPositive();
                assertThat(row.gigabytesPerSecond().least()).isPositive();
                assertThat(row.cpuSecondsPerGib().median()).isPositive();
            }
        });
        assertThat(MOVES).hasValue(Comparison.moves(request));
    }

    @Test
    void allMethodsAreThereBesideTheJdksWays() {
        assertThat(names(Direction.FILE_TO_SOCKET))
                .containsExactlyInAnyOrder(
                        "sluice read+write",
                        "sluice mmap+write",
                        "sluice mmap+write, prefaulted",
                        "sluice sendfile",
                        "sluice splice",
                        "sluice MSG_ZEROCOPY",
                        "sluice read+encrypt+write",
                        "sluice sendfile, kernel TLS",
                        "JDK heap buffer",
                        "JDK direct buffer",
                        "JDK mapped buffer",
                        "JDK FileChannel.transferTo",
                        "JDK streams");
        assertThat(names(Direction.SOCKET_TO_FILE))
                .containsExactlyInAnyOrder(
                        "sluice recv+write",
                        "sluice recv+write, polling",
                        "sluice splice",
                        "sluice TCP_ZEROCOPY_RECEIVE",
                        "JDK heap buffer",
                        "JDK direct buffer",
                        "JDK mapped buffer",
                        "JDK FileChannel.transferFrom",
                        "JDK streams");
        assertThat(names(Direction.FILE_TO_FILE))
                .contains(
                        "sluice copy_file_range",
                        "sluice read+encrypt+write",
                        "sluice reflink",
                        "sluice sendfile",
                        "JDK Files.copy");
    }

    @Test
    void oursAreCountedAndTheJdksDerived() {
        assertThat(report.rows()).filteredOn(row -> row.runs() > 0).allSatisfy(row -> {
            assertThat(row.calls().mark()).isEqualTo(row.isOurs() ? "counted" : "derived");
            assertThat(row.cpuCopies().mark()).isEqualTo("derived");
            assertThat(row.dmaCopies().source()).isNotBlank();
        });
    }

    @Test
    void copiesFallAwayAsTheLiteratureSays() {
        assertThat(row(Direction.FILE_TO_SOCKET, "sluice", "read+write")
                        .cpuCopies()
                        .value())
                .isEqualTo(2);
        assertThat(row(Direction.FILE_TO_SOCKET, "sluice", "mmap+write")
                        .cpuCopies()
                        .value())
                .isEqualTo(1);
        assertThat(row(Direction.FILE_TO_SOCKET, "sluice", "sendfile")
                        .cpuCopies()
                        .value())
                .isZero();
        assertThat(row(Direction.FILE_TO_SOCKET, "JDK", "heap buffer")
                        .cpuCopies()
                        .value())
                .isEqualTo(4);
        assertThat(row(Direction.FILE_TO_SOCKET, "JDK", "FileChannel.transferTo")
                        .cpuCopies()
                        .value())
                .isZero();
    }

    @Test
    void aZeroCopyReceiverIsSentWhatItCanMap() {
        Row receive = row(Direction.SOCKET_TO_FILE, "sluice", "TCP_ZEROCOPY_RECEIVE");
        assertThat(receive.unavailable()).isEmpty();
        // One copy is the write; all that wasn't mapped was copied before that.
        assertThat(receive.cpuCopies().value()).isBetween(1.0, 1.5);
    }

    @Test
    void directWaysCopyNothingAndReadTheDevice() {
        for (Row row : report.rows()) {
            if (row.name().startsWith("direct, ") && row.runs() > 0) {
                assertThat(row.cpuCopies().value()).as(row.name()).isZero();
                if (row.direction() == Direction.FILE_TO_MEMORY) {
                    assertThat(row.deviceReadPerByte().least()).as(row.name()).isGreaterThan(0.9);
                }
            }
        }
        assertThat(names(Direction.FILE_TO_MEMORY))
                .contains("sluice pread", "sluice direct, depth 16, registered", "sluice block cache on direct");
        assertThat(names(Direction.MEMORY_TO_FILE))
                .contains("sluice pwrite, fdatasync", "JDK FileChannel, direct buffer, force");
    }

    @Test
    void coldStandsBesideWarmWithWhatTheDeviceRead() {
        Row cold = report.rows().stream()
                .filter(row ->
                        row.cold() && row.name().equals("sendfile") && row.direction() == Direction.FILE_TO_SOCKET)
                .findFirst()
                .orElseThrow();
        assertThat(row(Direction.FILE_TO_SOCKET, "sluice", "sendfile")
                        .dmaCopies()
                        .value())
                .isLessThan(cold.dmaCopies().value());
        assertThat(report.rows()).noneMatch(row -> row.cold() && row.direction() == Direction.SOCKET_TO_FILE);
    }

    @Test
    void theOtherSideTellsItsProcessorTime() {
        assertThat(report.rows())
                .filteredOn(row -> row.runs() > 0)
                .allSatisfy(row -> assertThat(row.hasOtherSide())
                        .isEqualTo(row.direction() == Direction.FILE_TO_SOCKET
                                || row.direction() == Direction.SOCKET_TO_FILE));
    }

    @Test
    void callsFollowFromThePieces() {
        Row sendfile = row(Direction.FILE_TO_SOCKET, "sluice", "sendfile");
        Row readWrite = row(Direction.FILE_TO_SOCKET, "sluice", "read+write");
        // 64 pieces a MiB; the rest are the calls around, and a socket may take less than it was offered.
        assertThat(sendfile.pieceBytes()).isEqualTo(16 << 10);
        assertThat(sendfile.callsPerMib().median()).isBetween(64.0, 96.0);
        assertThat(readWrite.callsPerMib().median()).isBetween(128.0, 192.0);
        assertThat(sendfile.modeSwitchesPerMib().median())
                .isEqualTo(2 * sendfile.callsPerMib().median());
    }

    @Test
    void theSettingAndThePlansStandAbove() {
        assertThat(report.setting()).containsKeys("path", "kernel", "file", "written to", "memory", "runs", "checked");
        assertThat(report.setting().get("path")).contains("loopback");
        assertThat(report.plans().get(Direction.FILE_TO_SOCKET)).startsWith("sendfile: ");
        for (Direction direction :
                List.of(Direction.FILE_TO_SOCKET, Direction.SOCKET_TO_FILE, Direction.FILE_TO_FILE)) {
            assertThat(report.rows())
                    .as(direction.label())
                    .anyMatch(row -> row.direction() == direction && row.planned() && row.runs() > 0);
        }
    }

    @Test
    void nothingIsLeftInTheFolderAndTheFileIsAsItWas() throws IOException {
        assertThat(filesIn(folder)).containsExactly("file");
        byte[] bytes = new byte[LENGTH_BYTES];
        new Random(3).nextBytes(bytes);
        assertThat(Arrays.mismatch(Files.readAllBytes(file), bytes)).isEqualTo(-1);
    }

    @Test
    void cancellationEndsItAndLeavesNothing(@TempDir Path other) throws IOException {
        AtomicInteger moves = new AtomicInteger();
        assertThatThrownBy(() -> Comparison.run(
                        new Comparison.Request(
                                file, other, List.of(1 << 20), List.of(), 1, 0, false, new Over.Loopback()),
                        moves::incrementAndGet,
                        () -> moves.get() >= 3))
                .isInstanceOf(CancellationException.class);
        assertThat(moves).hasValue(3);
        assertThat(filesIn(other)).isEmpty();
    }

    private static List<String> names(Direction direction) {
        return report.rows().stream()
                .filter(row -> row.direction() == direction)
                .map(row -> row.family() + " " + row.name())
                .distinct()
                .collect(Collectors.toList());
    }

    private static Row row(Direction direction, String family, String name) {
        return report.rows().stream()
                .filter(row -> row.direction() == direction
                        && row.family().equals(family)
                        && row.name().equals(name)
                        && !row.swept()
                        && !row.cold())
                .findFirst()
                .orElseThrow();
    }

    private static List<String> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(path -> path.getFileName().toString()).toList();
        }
    }
}
