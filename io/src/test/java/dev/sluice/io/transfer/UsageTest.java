package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Resources;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What is measured around a transfer.
class UsageTest extends GatedTransfers {
    @Test
    void interruptTablesAreSummedOverProcessors() {
        assertThat(Usage.parse(List.of(
                        "           CPU0       CPU1",
                        "  1:          9          3   IO-APIC   1-edge      i8042",
                        " 24:     100000         20   PCI-MSI-0000:00:01.0   0-edge      virtio0-req.0",
                        "LOC:       1000       2000   Local timer interrupts",
                        "ERR:          4")))
                .containsEntry("1 i8042", 12L)
                .containsEntry("24 virtio0-req.0", 100_020L)
                .containsEntry("LOC", 3000L)
                .containsEntry("ERR", 4L)
                .hasSize(4);
        assertThat(Usage.parse(List.of("      CPU0   CPU1", "NET_RX:  5  6"))).containsEntry("NET_RX", 11L);
    }

    @Test
    void pageFaultsAreCounted() throws Exception {
        Usage.Probe probe = Usage.start(kernel, Usage.Scope.THREAD);
        try (Mapping fresh = Mapping.reserve(kernel, 64 * 4096)) {
            fresh.advise(dev.sluice.io.linux.Mappings.MADV_NOHUGEPAGE);
            for (int page = 0; page < 64; page++) {
                fresh.segment().set(ValueLayout.JAVA_BYTE, page * 4096L, (byte) 1);
            }
        }
        assertThat(probe.stop().resources().minorFaults()).isGreaterThanOrEqualTo(64);
    }

    @Test
    void processorTimeOfAThreadIsThatOfNowNotOfTheLastTick() throws Exception {
        for (int round = 0; round < 50; round++) {
            Usage.Probe probe = Usage.start(kernel, Usage.Scope.THREAD);
            long used = 0;
            for (int i = 0; i < 20_000; i++) {
                used += Math.floorMod(i * 31L, 7); // some 50 µs, much less than a tick
            }
            assertThat(used).isPositive();
            Resources.Totals totals = probe.stop().resources();
            assertThat(totals.userNs() + totals.systemNs()).isPositive();
        }
    }

    @Test
    void workOfAnotherThreadIsNotThisThreads() throws Exception {
        Usage.Probe ofThread = Usage.start(kernel, Usage.Scope.THREAD);
        Usage.Probe ofProcess = Usage.start(kernel, Usage.Scope.PROCESS);
        Thread busy = new Thread(() -> {
            try (Mapping fresh = Mapping.reserve(kernel, 1000 * 4096)) {
                fresh.advise(dev.sluice.io.linux.Mappings.MADV_NOHUGEPAGE);
                for (int page = 0; page < 1000; page++) {
                    fresh.segment().set(ValueLayout.JAVA_BYTE, page * 4096L, (byte) 1);
                }
            } catch (dev.sluice.io.linux.ErrnoException e) {
                throw new AssertionError(e);
            }
        });
        busy.start();
        busy.join();
        assertThat(ofProcess.stop().resources().minorFaults()).isGreaterThanOrEqualTo(1000);
        assertThat(ofThread.stop().resources().minorFaults()).isLessThan(1000);
    }

    @Test
    void aColdFileIsReadFromItsDeviceAndAWarmOneIsNot() throws Exception {
        long length = 8 << 20;
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, true, length, 0, 0)) {
            Descriptor file = Flow.descriptor(rig.source);
            try (Descriptor writable = kernel.files()
                    .open(rig.sourcePath, Files.O_RDWR, 0, kernel.account())
                    .orThrow()) {
                assertThat(kernel.files().fdatasync(writable)).isZero(); // dirty pages can't be dropped
            }
            kernel.files().advise(file, 0, 0, Files.FADV_DONTNEED);
            org.junit.jupiter.api.Assumptions.assumeTrue(
                    kernel.pageCache().residentBytes(file, 0, length) == 0,
                    "this file system keeps its pages (tmpfs): nothing can be cold");
            rig.collect();
            TransferAccount cold;
            try (Transfer transfer = rig.begin(
                    transfers,
                    length,
                    TransferOptions.DEFAULT.only(Method.SENDFILE).withMeasurement())) {
                transfer.run();
                cold = transfer.account();
            }
            TransferAccount warm;
            try (Transfer transfer = rig.begin(
                    transfers,
                    length,
                    TransferOptions.DEFAULT.only(Method.SENDFILE).withMeasurement())) {
                transfer.run();
                warm = transfer.account();
            }
            assertThat(cold.usage().orElseThrow().deviceReadBytes()).isGreaterThanOrEqualTo(length);
            assertThat(cold.dmaCopies().value()).isEqualTo(1); // from the device; over loopback there is no other
            assertThat(cold.dmaCopies().source()).contains("0% in the page cache before");
            assertThat(warm.usage().orElseThrow().deviceReadBytes()).isZero();
            assertThat(warm.dmaCopies().value()).isZero();
        }
    }

    @Test
    void figuresSayHowTheyCameToBeKnown() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, true, 100_000, 0, 0);
                Transfer transfer = rig.begin(
                        transfers,
                        100_000,
                        TransferOptions.DEFAULT.only(Method.READ_WRITE).withMeasurement())) {
            rig.collect();
            transfer.run();
            List<Figure> figures = transfer.account().figures();
            assertThat(figures).allSatisfy(figure -> {
                assertThat(figure.mark())
                        .isEqualTo(
                                switch (figure) {
                                    case Figure.Counted _ -> "counted";
                                    case Figure.Measured _ -> "measured";
                                    case Figure.Derived _ -> "derived";
                                });
                assertThat(figure.source()).isNotBlank();
                assertThat(figure.unit()).isNotBlank();
            });
            assertThat(figures)
                    .filteredOn(figure -> figure instanceof Figure.Measured)
                    .extracting(Figure::name)
                    .contains(
                            "CPU time, user",
                            "CPU time, system",
                            "minor page faults",
                            "major page faults",
                            "voluntary context switches",
                            "involuntary context switches",
                            "read from devices",
                            "interrupts",
                            "softirqs");
            assertThat(figures)
                    .filteredOn(figure -> figure instanceof Figure.Derived)
                    .extracting(Figure::name)
                    .containsExactly("mode switches", "CPU copies", "DMA copies");
        }
    }

    @Test
    void nothingIsMeasuredUnlessAskedFor() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, EndType.FILE, EndType.TCP, true, 1000, 0, 0);
                Transfer transfer = rig.begin(transfers, 1000, TransferOptions.DEFAULT)) {
            rig.collect();
            transfer.run();
            assertThat(transfer.account().usage()).isEmpty();
            assertThat(transfer.account().dmaCopies().source()).contains("taken as cached");
        }
    }
}
