package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Readiness: epoll(7) and eventfd(2). Results are values ≥ 0 or −errno.
public final class Epolls {
    // Events, linux/eventpoll.h.
    public static final int EPOLLIN = 0x001;
    public static final int EPOLLOUT = 0x004;
    public static final int EPOLLERR = 0x008;
    public static final int EPOLLHUP = 0x010;
    public static final int EPOLLRDHUP = 0x2000;
    /// Report a change once, instead of reporting a state for as long as it lasts.
    public static final int EPOLLET = 1 << 31;

    private static final int EPOLL_CLOEXEC = 0x80000;
    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_DEL = 2;
    private static final int EPOLL_CTL_MOD = 3;
    private static final int EFD_CLOEXEC_NONBLOCK = 0x80000 | 0x800;

    private static final MethodHandle EPOLL_CREATE1 =
            Native.function("epoll_create1", FunctionDescriptor.of(Native.C_INT, Native.C_INT));
    private static final MethodHandle EPOLL_CTL = Native.function(
            "epoll_ctl",
            FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT, Native.C_INT, Native.C_POINTER));
    private static final MethodHandle EPOLL_WAIT = Native.function(
            "epoll_wait",
            FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT, Native.C_INT));
    private static final MethodHandle EVENTFD =
            Native.function("eventfd", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT));

    private final Kernel kernel;

    Epolls(Kernel kernel) {
        this.kernel = kernel;
    }

    /// An array of `struct epoll_event { u32 events; u64 data; }` for [Epolls#await]. Not thread-safe.
    public static final class Events {
        private final MemorySegment array;
        private final int capacity;

        /// @param arena    what its memory is taken from and freed with
        /// @param capacity the most events that one call brings
        public Events(Arena arena, int capacity) {
            this.array = arena.allocate(capacity * Abi.CURRENT.epollEventBytes(), 8);
            this.capacity = capacity;
        }

        /// The EPOLL… bits of the event.
        public int events(int index) {
            return array.get(ValueLayout.JAVA_INT_UNALIGNED, index * Abi.CURRENT.epollEventBytes());
        }

        /// What was given when the descriptor was added.
        public long data(int index) {
            return array.get(
                    ValueLayout.JAVA_LONG_UNALIGNED, index * Abi.CURRENT.epollEventBytes() + Abi.CURRENT.epollDataAt());
        }
    }

    /// epoll_create1(2). The caller closes it.
    ///
    /// @param owner parent of its account
    public Opened create(Account owner) {
        long result = kernel.admit(Call.EPOLL_CREATE, "epoll");
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) EPOLL_CREATE1.invokeExact(captured, EPOLL_CLOEXEC), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.opened(Call.EPOLL_CREATE, result, "epoll", owner);
    }

    /// EPOLL_CTL_ADD of epoll_ctl(2): 0, or −errno: −EPERM for what can't be waited for, such as a file.
    ///
    /// @param events of the `EPOLL…` constants
    /// @param data   comes back with each event
    public long add(Descriptor epoll, Descriptor target, int events, long data) {
        return control(epoll, EPOLL_CTL_ADD, target, events, data);
    }

    /// EPOLL_CTL_MOD: 0, or −errno. A condition that holds already is told once more.
    public long modify(Descriptor epoll, Descriptor target, int events, long data) {
        return control(epoll, EPOLL_CTL_MOD, target, events, data);
    }

    /// Not needed before a close: the last close of an open file removes it.
    public long remove(Descriptor epoll, Descriptor target) {
        return control(epoll, EPOLL_CTL_DEL, target, 0, 0);
    }

    private long control(Descriptor epoll, int operation, Descriptor target, int events, long data) {
        long result = kernel.admit(Call.EPOLL_CTL, target);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment event = arena.allocate(Abi.CURRENT.epollEventBytes(), 8);
                event.set(ValueLayout.JAVA_INT_UNALIGNED, 0, events);
                event.set(ValueLayout.JAVA_LONG_UNALIGNED, Abi.CURRENT.epollDataAt(), data);
                result = Native.orErrno(
                        (int) EPOLL_CTL.invokeExact(captured, epoll.number(), operation, target.number(), event),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(epoll.account(), Call.EPOLL_CTL, result, false);
    }

    /// epoll_wait(2).
    ///
    /// @param timeoutMs −1 to wait for ever, 0 not to wait
    /// @return how many entries of `events` were filled, or −errno (−EINTR is ordinary)
    public long await(Descriptor epoll, Events events, int timeoutMs) {
        long result = kernel.admit(Call.EPOLL_WAIT, epoll);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (int) EPOLL_WAIT.invokeExact(
                                captured, epoll.number(), events.array, events.capacity, timeoutMs),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(epoll.account(), Call.EPOLL_WAIT, result, false);
    }

    /// A non-blocking eventfd with value 0. Written and read by [Files#write] and [Files#read], 8 bytes at a time.
    public Opened eventfd(Account owner) {
        long result = kernel.admit(Call.EVENTFD, "eventfd");
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) EVENTFD.invokeExact(captured, 0, EFD_CLOEXEC_NONBLOCK), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.opened(Call.EVENTFD, result, "eventfd", owner);
    }
}
