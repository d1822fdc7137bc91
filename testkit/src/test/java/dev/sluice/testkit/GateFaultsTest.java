package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class GateFaultsTest {
    private final GateFaults faults = new GateFaults(42);

    private long pwrite(String file, long lengthBytes) {
        return faults.admit(Call.PWRITE, file, 0, lengthBytes);
    }

    @Test
    void callsThatNoFaultFitsAreMadeAsAsked() {
        faults.on(Call.PWRITE).of("*.log").fails(Errno.EIO);

        assertThat(pwrite("/data/t-0/0.index", 10)).isEqualTo(10);
        assertThat(faults.admit(Call.PREAD, "/data/t-0/0.log", 0, 10)).isEqualTo(10);
        assertThat(pwrite("/data/t-0/0.log", 10)).isEqualTo(-Errno.EIO);
    }

    @Test
    void aDotInAPatternIsADot() {
        faults.on(Call.PWRITE).of("*.log").fails(Errno.EIO);

        assertThat(pwrite("/data/catalog", 10)).isEqualTo(10);
    }

    @Test
    void strikesTheCallsItIsDueFor() {
        GateFaults.Fault fault = faults.on(Call.PWRITE).from(2).times(2).fails(Errno.ENOSPC);

        assertThat(pwrite("a", 1)).isEqualTo(1);
        assertThat(pwrite("a", 1)).isEqualTo(-Errno.ENOSPC);
        assertThat(pwrite("b", 1)).isEqualTo(-Errno.ENOSPC);
        assertThat(pwrite("a", 1)).isEqualTo(1);
        assertThat(fault.hits()).isEqualTo(2);
    }

    @Test
    void whatOneFaultLetsPassMeetsTheNext() {
        GateFaults.Fault counted = faults.on(Call.PWRITE).isCounted();
        faults.on(Call.PWRITE).times(1).fails(Errno.EIO);
        GateFaults.Fault behind = faults.on(Call.PWRITE).shortensTo(1);

        assertThat(pwrite("a", 5)).isEqualTo(-Errno.EIO);
        assertThat(pwrite("a", 5)).isEqualTo(1);
        assertThat(counted.hits()).isEqualTo(2);
        assertThat(behind.hits()).isEqualTo(1);
    }

    @Test
    void strikesNoMoreOnceHealed() {
        GateFaults.Fault fault = faults.on(Call.PWRITE).fails(Errno.ENOSPC);
        pwrite("a", 1);
        fault.heal();

        assertThat(pwrite("a", 1)).isEqualTo(1);
        assertThat(fault.hits()).isEqualTo(1);
    }

    @Test
    void shortensWithoutAskingForNothing() {
        assertThat(faults.mayShorten()).isFalse();
        faults.on(Call.SEND).shortensTo(3);
        assertThat(faults.mayShorten()).isTrue();
        faults.on(Call.RECV).shortensRandomly();

        assertThat(faults.admit(Call.SEND, "peer", -1, 10)).isEqualTo(3);
        assertThat(faults.admit(Call.SEND, "peer", -1, 2)).isEqualTo(2);
        for (int i = 0; i < 100; i++) {
            assertThat(faults.admit(Call.RECV, "peer", -1, 10)).isBetween(1L, 9L);
        }
        assertThat(faults.admit(Call.RECV, "peer", -1, 1)).isEqualTo(1);
    }

    @Test
    void holdsACallUntilItIsLetGo() throws InterruptedException {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch made = new CountDownLatch(1);
        GateFaults.Fault fault = faults.on(Call.FSYNC).waitsFor(release);
        Thread caller = new Thread(() -> {
            faults.admit(Call.FSYNC, "file", -1, 0);
            made.countDown();
        });
        caller.start();
        fault.awaitHits(1);
        assertThat(made.getCount()).isEqualTo(1);

        release.countDown();
        caller.join();
    }

    @Test
    void countsTheCallsThatWereNotRefused() {
        faults.on(Call.PWRITE).from(2).times(1).fails(Errno.EIO);
        pwrite("a", 1);
        pwrite("a", 1);
        pwrite("a", 1);

        assertThat(faults.admitted(Call.PWRITE)).isEqualTo(2);
    }

    @Test
    void whatAnActionThrowsReachesTheCaller() {
        faults.on(Call.MKDIR).runs(() -> {
            throw new IllegalStateException("here");
        });

        assertThatThrownBy(() -> faults.admit(Call.MKDIR, "folder", -1, 0)).hasMessage("here");
    }

    @Test
    void aSyncThatPretendsIsNotMadeAndSaysThatItWas() {
        Kernel kernel = new Kernel(faults);
        Descriptor nothing = kernel.adopt(1 << 20, "nothing", kernel.account()); // a number that is not open
        assertThat(kernel.files().fsync(nothing)).isEqualTo(-Errno.EBADF);

        faults.on(Call.FSYNC, Call.FDATASYNC).pretends();

        assertThat(kernel.files().fsync(nothing)).isZero();
        assertThat(kernel.files().fdatasync(nothing)).isZero();
    }
}
