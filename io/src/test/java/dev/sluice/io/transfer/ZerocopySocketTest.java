package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Kernel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// How completions are matched with sends, fed by hand with ranges that no network gives at will.
class ZerocopySocketTest {
    private final Kernel kernel = new Kernel();
    private final ZerocopySocket socket = new ZerocopySocket(kernel.adopt(-1, "a socket", kernel.account()));
    private final List<Long> done = new ArrayList<>();

    private void complete(int first, int last) {
        socket.complete(first, last, false, (tag, length, copied) -> done.add(tag));
    }

    private void send(int count) {
        for (int i = 0; i < count; i++) {
            socket.sent(10, i);
        }
    }

    @Test
    void rangesInOrderFreeWhatTheyName() {
        send(5);
        complete(0, 2);
        assertThat(done).containsExactly(0L, 1L, 2L);
        assertThat(socket.underWay()).isEqualTo(2);
        assertThat(socket.bytes()).isEqualTo(20);
    }

    @Test
    void rangesOutOfOrderFreeWhatTheyName() {
        send(5);
        complete(3, 4);
        assertThat(done).containsExactly(3L, 4L);
        assertThat(socket.bytes()).isEqualTo(30);
        complete(0, 2);
        assertThat(socket.underWay()).isZero();
        assertThat(socket.bytes()).isZero();
    }

    @Test
    void manySendsAtOnceAreRemembered() {
        send(1000);
        complete(0, 999);
        assertThat(done).hasSize(1000).isSorted();
        assertThat(socket.underWay()).isZero();
    }

    @Test
    void numbersWrapAroundAsTheKernelsDo() {
        socket.startAt(-3); // 2^32 - 3
        send(100);
        complete(-3, 1);
        assertThat(done).containsExactly(0L, 1L, 2L, 3L, 4L);
        complete(2, 96);
        assertThat(socket.underWay()).isZero();
        assertThat(socket.bytes()).isZero();
    }

    @Test
    void aNotificationOfTheSameSendTwiceFreesItOnce() {
        send(3);
        complete(1, 1);
        complete(1, 1);
        assertThat(done).containsExactly(1L);
        assertThat(socket.bytes()).isEqualTo(20);
    }

    @Test
    void somebodyElsesSendsAreNoticed() {
        send(2);
        assertThatThrownBy(() -> complete(0, 2))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("somebody else");
    }
}
