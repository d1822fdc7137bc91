package dev.sluice.io.loop;

/// What an [EventLoop] calls on its own thread when a descriptor becomes ready.
public interface ReadyListener {
    /// @param events EPOLL… bits of [dev.sluice.io.linux.Epolls]
    void ready(int events);

    /// [#ready] threw. The listener closes what it owns; the loop goes on with the others.
    void failed(Throwable thrown);
}
