package dev.sluice.io.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EventLoopRegressionTest {
    private final Account account = Account.root("loop");
    private final List<Throwable> stray = new ArrayList<>();

    private EventLoop loop(Kernel kernel) throws ErrnoException {
        return new EventLoop(kernel, account, System::nanoTime, stray::add);
    }

    @Test
    void aListenerThatFailsToFailKeepsTheLoopTurning() throws Exception {
        Kernel kernel = new Kernel();
        try (EventLoop loop = loop(kernel)) {
            Descriptor[] ends = kernel.sockets().pair(false, account);
            loop.register(ends[0], Epolls.EPOLLOUT, new ReadyListener() {
                @Override
                public void ready(int events) {
                    loop.stop();
                    throw new IllegalStateException("ready");
                }

                @Override
                public void failed(Throwable thrown) {
                    throw new IllegalStateException("failed", thrown);
                }
            });
            loop.run();

            assertThat(stray)
                    .singleElement()
                    .satisfies(thrown -> assertThat(thrown).hasMessage("failed"));
            ends[0].close();
            ends[1].close();
        }
    }

    @Test
    void aTaskThatSendsItselfAgainLeavesDescriptorsTheirTurn() throws Exception {
        Kernel kernel = new Kernel();
        try (EventLoop loop = loop(kernel)) {
            Descriptor[] ends = kernel.sockets().pair(false, account);
            Runnable[] endless = new Runnable[1];
            endless[0] = () -> loop.execute(endless[0]);
            loop.execute(endless[0]);
            loop.register(ends[0], Epolls.EPOLLOUT, new ReadyListener() {
                private int turns;

                @Override
                public void ready(int events) {
                    if (++turns == 10) {
                        loop.stop();
                    }
                }

                @Override
                public void failed(Throwable thrown) {}
            });
            loop.run();

            assertThat(stray).isEmpty();
            ends[0].close();
            ends[1].close();
        }
    }

    @Test
    void aLoopThatIsAwakeIsNotWokenUp() throws Exception {
        try (EventLoop loop = loop(new Kernel())) {
            int[] left = {100};
            Runnable[] next = new Runnable[1];
            // Deferred work is there in each turn, so the loop never waits, and the mail sent before a turn's end is
            // seen without a write to the eventfd.
            next[0] = () -> {
                if (left[0]-- > 0) {
                    loop.defer(next[0]);
                    loop.execute(() -> {});
                } else {
                    loop.stop();
                }
            };
            loop.execute(next[0]);
            loop.run();

            assertThat(account.count(Call.WRITE).calls()).isZero();
        }
    }

    @Test
    void nothingStaysOpenWhenTheWakeUpCanNotBeRegistered() {
        Kernel kernel = new Kernel((call, _, _, lengthBytes) -> call == Call.EPOLL_CTL ? -Errno.ENOSPC : lengthBytes);

        assertThatThrownBy(() -> loop(kernel)).isInstanceOf(ErrnoException.class);

        assertThat(account.count(Call.CLOSE).calls())
                .isEqualTo(account.count(Call.EPOLL_CREATE).calls()
                        + account.count(Call.EVENTFD).calls())
                .isEqualTo(2);
    }
}
