package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.transfer.Endpoint.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Which method is picked, and that the reasons are given.
class PlannerTest extends GatedTransfers {
    private static final long LARGE = 10_000_000;

    private final Planner planner = new Planner();

    private Plan plan(EndType source, EndType sink, long lengthBytes) throws IOException {
        try (Rig rig = new Rig(kernel, folder, source, sink, true, Math.min(lengthBytes, 100_000), 0, 0)) {
            return planner.plan(kernel, rig.source, rig.sink, lengthBytes, TransferOptions.DEFAULT);
        }
    }

    @Test
    void largeFilesGoToSocketsBySendfile() throws Exception {
        Plan plan = plan(EndType.FILE, EndType.TCP, LARGE);
        assertThat(plan.method()).isEqualTo(Method.SENDFILE);
        assertThat(plan.fallbacks()).containsExactly(Method.SPLICE, Method.READ_WRITE);
    }

    @Test
    void smallFilesAreRead() throws Exception {
        assertThat(plan(EndType.FILE, EndType.TCP, Planner.SMALL_BYTES).method())
                .isEqualTo(Method.READ_WRITE);
        assertThat(plan(EndType.FILE, EndType.TCP, Planner.SMALL_BYTES + 1).method())
                .isEqualTo(Method.SENDFILE);
    }

    @Test
    void whatAMapOfASmallFileWastesIsSaid() throws Exception {
        assertThat(plan(EndType.FILE, EndType.TCP, 5 * 1024).ruledOut()).anySatisfy(out -> {
            assertThat(out.method()).isEqualTo(Method.MMAP_WRITE);
            assertThat(out.why()).contains("a map for 5120 bytes takes 8192 (3072 wasted)");
        });
    }

    @Test
    void filesOfOneSystemAreClonedIfPossible() throws Exception {
        Plan plan = plan(EndType.FILE, EndType.FILE, 100_000);
        assertThat(plan.method()).isEqualTo(Method.REFLINK);
        assertThat(plan.fallbacks()).containsExactly(Method.READ_WRITE);
    }

    @Test
    void filesOfDifferentSystemsAreNot() throws Exception {
        Path elsewhere = java.nio.file.Files.createTempFile(Path.of("/dev/shm"), "sluice", ".sink");
        try (Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.FILE, true, 100_000, 0, 0);
                Endpoint.File sink = Endpoint.openSink(kernel, elsewhere, true, kernel.account())) {
            Plan plan = planner.plan(kernel, rig.source, sink, 100_000, TransferOptions.DEFAULT);
            assertThat(plan.method()).isEqualTo(Method.READ_WRITE);
            assertThat(plan.ruledOut())
                    .contains(new Plan.RuledOut(Method.REFLINK, "the ends are on different file systems"));
        } finally {
            java.nio.file.Files.delete(elsewhere);
        }
    }

    @Test
    void aPartOfABlockIsNotCloned() throws Exception {
        try (Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.FILE, true, 100_000, 0, 0)) {
            Plan plan = planner.plan(kernel, rig.source, rig.sink, 100, TransferOptions.DEFAULT);
            assertThat(plan.method()).isEqualTo(Method.READ_WRITE);
            assertThat(plan.ruledOut()).contains(new Plan.RuledOut(Method.REFLINK, "shares whole blocks only"));
        }
    }

    @Test
    void aSinkThatIsAppendedToIsOnlyWrittenTo() throws Exception {
        Path log = folder.resolve("log");
        try (Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.FILE, true, 100_000, 0, 0);
                Endpoint.File sink = new Endpoint.File(
                        kernel.files()
                                .open(log, Files.O_WRONLY | Files.O_CREAT | Files.O_APPEND, 0x1A4, kernel.account())
                                .orThrow(),
                        0)) {
            Plan plan = planner.plan(kernel, rig.source, sink, 100_000, TransferOptions.DEFAULT);
            assertThat(plan.method()).isEqualTo(Method.READ_WRITE);
            assertThat(plan.ruledOut()).contains(new Plan.RuledOut(Method.REFLINK, "the sink is open with O_APPEND"));
        }
    }

    @Test
    void socketsAreReadIntoFilesAndSplicedIntoSockets() throws Exception {
        assertThat(plan(EndType.TCP, EndType.FILE, LARGE).method()).isEqualTo(Method.READ_WRITE);
        assertThat(plan(EndType.TCP, EndType.TCP, LARGE).method()).isEqualTo(Method.SPLICE);
        assertThat(plan(EndType.UNIX, EndType.PIPE, LARGE).method()).isEqualTo(Method.SPLICE);
        assertThat(plan(EndType.PIPE, EndType.FILE, LARGE).method()).isEqualTo(Method.SPLICE);
    }

    @Test
    void zeroCopyIsNotTakenWhereTheKernelCopiesAnyway() throws Exception {
        Plan loopback = plan(EndType.MEMORY, EndType.TCP, 100_000);
        assertThat(loopback.method()).isEqualTo(Method.WRITE);
        assertThat(loopback.ruledOut()).anySatisfy(out -> assertThat(out.why()).contains("loopback (lo"));
        Plan small = plan(EndType.MEMORY, EndType.TCP, 1000);
        assertThat(small.ruledOut()).anySatisfy(out -> assertThat(out.why()).contains("pinning pages costs more"));
    }

    @Test
    void everyPairHasAPlanWithAReason() throws Exception {
        for (EndType source : EndType.values()) {
            for (EndType sink : EndType.values()) {
                if (source.kind == Endpoint.Kind.MEMORY && sink.kind == Endpoint.Kind.MEMORY) {
                    continue;
                }
                Plan plan = plan(source, sink, 50_000);
                assertThat(plan.method().serves(source.kind, sink.kind)).isTrue();
                assertThat(plan.reason()).isNotBlank();
                // Every method that serves the pair is chosen, in reserve, or ruled out with a reason.
                List<Method> accounted = new ArrayList<>(plan.fallbacks());
                accounted.add(plan.method());
                plan.ruledOut().forEach(out -> accounted.add(out.method()));
                assertThat(accounted)
                        .as("%s to %s", source, sink)
                        .doesNotHaveDuplicates()
                        .containsExactlyInAnyOrderElementsOf(Method.serving(source.kind, sink.kind));
            }
        }
    }

    @Test
    void aMethodThatDoesNotServeTheEndsIsRefusedWithThoseThatDo() throws Exception {
        try (Rig rig = new Rig(kernel, folder, EndType.TCP, EndType.FILE, true, 0, 0, 0)) {
            assertThatThrownBy(() -> planner.plan(
                            kernel, rig.source, rig.sink, 1, TransferOptions.DEFAULT.only(Method.SENDFILE)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("sendfile doesn't move bytes from a socket to a file")
                    .hasMessageContaining("read+write, splice, TCP_ZEROCOPY_RECEIVE");
        }
    }

    @Test
    void aFileIsNotCopiedOverItself() throws Exception {
        try (Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, true, 100_000, 0, 0);
                Endpoint.File same = Endpoint.openSink(kernel, rig.sourcePath, false, kernel.account())) {
            for (long position : new long[] {0, 1, 999}) {
                assertThatThrownBy(() -> planner.plan(
                                kernel,
                                rig.source,
                                new Endpoint.File(same.descriptor(), position),
                                1000,
                                TransferOptions.DEFAULT))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("copied over itself");
            }
            Endpoint.File behind = new Endpoint.File(same.descriptor(), 100_000);
            assertThatThrownBy(
                            () -> planner.plan(kernel, rig.source, behind, Transfer.UNTIL_END, TransferOptions.DEFAULT))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(planner.plan(kernel, rig.source, behind, 100_000, TransferOptions.DEFAULT)
                            .method())
                    .isEqualTo(Method.REFLINK);
        }
    }

    @Test
    void memoryToMemoryIsNoTransfer() throws Exception {
        try (Rig rig = new Rig(kernel, folder, EndType.MEMORY, EndType.MEMORY, true, 10, 0, 0)) {
            assertThatThrownBy(() -> planner.plan(kernel, rig.source, rig.sink, 10, TransferOptions.DEFAULT))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aFileToASocketIsPlannedWithoutACall() throws Exception {
        try (Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, true, 100_000, 0, 0)) {
            gate.on(Gate.OPEN);
            planner.plan(kernel, rig.source, rig.sink, 100_000, TransferOptions.DEFAULT);
            assertThat(gate.counts()).isEmpty();
        }
    }

    @Test
    void anEndThatCannotBeLookedAtIsAnError() throws Exception {
        try (Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.FILE, true, 100_000, 0, 0)) {
            gate.on((call, subject, position, length) -> call == Call.STATX ? -Errno.EIO : length);
            assertThatThrownBy(() -> planner.plan(kernel, rig.source, rig.sink, 1, TransferOptions.DEFAULT))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining(rig.sourcePath.toString());
        }
    }

    @Test
    void aRefusalIsForTheFileSystemsItWasSeenOn() throws Exception {
        try (Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, true, 100_000, 0, 0);
                Rig pipe = new Rig(kernel, folder, EndType.FILE, EndType.PIPE, true, 100_000, 0, 0)) {
            planner.refused(
                    kernel, rig.source, rig.sink, Method.SENDFILE, new Planner.Refusal(Call.SENDFILE, Errno.EINVAL));
            assertThat(planner.plan(kernel, rig.source, rig.sink, LARGE, TransferOptions.DEFAULT)
                            .method())
                    .isEqualTo(Method.SPLICE);
            assertThat(planner.plan(kernel, pipe.source, pipe.sink, LARGE, TransferOptions.DEFAULT)
                            .fallbacks())
                    .contains(Method.SENDFILE);
        }
    }

    @Test
    void servesAgreesWithServing() {
        for (Kind source : Kind.values()) {
            for (Kind sink : Kind.values()) {
                assertThat(Method.serving(source, sink)).allMatch(method -> method.serves(source, sink));
            }
        }
        assertThat(Method.serving(Kind.MEMORY, Kind.MEMORY)).isEmpty();
    }

    @Test
    void whatLiesOnTheHeapIsNotSentWithoutACopy() throws Exception {
        Plan plan = plan(EndType.PIECES, EndType.TCP, 100_000);
        assertThat(plan.method()).isEqualTo(Method.WRITE);
        assertThat(plan.reason()).contains("one before it of what lies on the heap");
        assertThat(plan.ruledOut()).anySatisfy(out -> {
            assertThat(out.method()).isEqualTo(Method.ZEROCOPY_SEND);
            assertThat(out.why()).contains("the collector moves what lies on the heap");
        });
        try (Rig rig = new Rig(kernel, folder, EndType.PIECES, EndType.TCP, true, 100_000, 0, 0)) {
            assertThatThrownBy(() -> planner.plan(
                            kernel, rig.source, rig.sink, 100_000, TransferOptions.DEFAULT.only(Method.ZEROCOPY_SEND)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("use native memory");
        }
    }
}
