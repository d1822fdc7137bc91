package dev.sluice.io.shared;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// The other end of a pool as somebody may write it who has only read the layouts: it does what it is told, right or
/// wrong. Closes what it made; owned by one thread.
final class RawPeer implements AutoCloseable {
    static final int BUFFERS = 4;
    static final int BUFFER_BYTES = 4096;
    static final SharedPoolConfig CONFIG = new SharedPoolConfig(BUFFER_BYTES, BUFFERS);
    static final long CONTROL_BYTES = 4096;

    private static final int TAIL_AT = 0;
    private static final int WAITING_AT = 64;
    private static final int ENTRIES_AT = 128;

    private final Kernel kernel;
    private final Descriptor socket;
    private final List<Descriptor> files = new ArrayList<>();
    private final List<MemorySegment> maps = new ArrayList<>();
    private MemorySegment control = MemorySegment.NULL;

    RawPeer(Kernel kernel, Descriptor socket) {
        this.kernel = kernel;
        this.socket = socket;
    }

    /// How a memory file is made; [#right] is as it should be.
    record Memory(long lengthBytes, int seals, boolean isAllocated) {
        static Memory right(long lengthBytes) {
            return new Memory(lengthBytes, SealedMemory.SEALS, true);
        }

        Memory without(int seal) {
            return new Memory(lengthBytes, seals & ~seal, isAllocated);
        }

        Memory ofBytes(long bytes) {
            return new Memory(bytes, seals, isAllocated);
        }

        Memory sparse() {
            return new Memory(lengthBytes, seals, false);
        }
    }

    Descriptor make(Memory memory) throws ErrnoException {
        Descriptor file =
                kernel.memoryFiles().create("raw peer", kernel.account()).orThrow();
        files.add(file);
        kernel.files().ftruncate(file, memory.lengthBytes());
        if (memory.isAllocated()) {
            kernel.files().fallocate(file, 0, 0, memory.lengthBytes());
        }
        control = kernel.mappings()
                .map(file, 0, memory.lengthBytes(), Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED);
        maps.add(control);
        kernel.memoryFiles().addSeals(file, memory.seals());
        return file;
    }

    /// A file in memory that was punched after it was allocated and before it was sealed: it has its size.
    Descriptor makePunched(long lengthBytes) throws ErrnoException {
        Descriptor file = make(new Memory(lengthBytes, 0, true));
        int punch = dev.sluice.io.linux.Files.FALLOC_FL_PUNCH_HOLE | dev.sluice.io.linux.Files.FALLOC_FL_KEEP_SIZE;
        kernel.files().fallocate(file, punch, 0, 4096);
        kernel.memoryFiles().addSeals(file, SealedMemory.SEALS);
        return file;
    }

    void tell(int bufferBytes, int bufferCount, Descriptor... passed) {
        tell(Handshake.MAGIC, Handshake.VERSION, bufferBytes, bufferCount, passed);
    }

    void tell(long magic, int version, int bufferBytes, int bufferCount, Descriptor... passed) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = arena.allocate(20, 8);
            message.set(ValueLayout.JAVA_LONG, 0, magic);
            message.set(ValueLayout.JAVA_INT, 8, version);
            message.set(ValueLayout.JAVA_INT, 12, bufferBytes);
            message.set(ValueLayout.JAVA_INT, 16, bufferCount);
            kernel.unixSockets().send(socket, message, List.of(passed), 0);
        }
    }

    /// What the other side passed with its message; closed with this peer.
    List<Descriptor> take() {
        try (Arena arena = Arena.ofConfined()) {
            var received = kernel.unixSockets().receive(socket, arena.allocate(64), 4, 0, kernel.account());
            files.addAll(received.descriptors());
            return received.descriptors();
        }
    }

    /// Offers a pool as an honest writer does. [#put] hands its buffers over.
    void offer() throws ErrnoException {
        Descriptor data = make(Memory.right((long) BUFFERS * BUFFER_BYTES));
        tell(BUFFER_BYTES, BUFFERS, data, make(Memory.right(CONTROL_BYTES)));
    }

    /// Accepts a pool as an honest reader does.
    ///
    /// @return the data and the writer's control
    List<Descriptor> accept() throws ErrnoException {
        List<Descriptor> passed = take();
        tell(BUFFER_BYTES, BUFFERS, make(Memory.right(CONTROL_BYTES)));
        return passed;
    }

    void put(int index, int lengthBytes) {
        int tail = control.get(ValueLayout.JAVA_INT, TAIL_AT);
        long at = ENTRIES_AT + (tail & BUFFERS - 1) * 16L;
        control.set(ValueLayout.JAVA_INT, at, index);
        control.set(ValueLayout.JAVA_INT, at + 4, lengthBytes);
        setTail(tail + 1);
    }

    void setTail(int tail) {
        control.set(ValueLayout.JAVA_INT, TAIL_AT, tail);
    }

    void setWaiting(int ticket) {
        control.set(ValueLayout.JAVA_INT, WAITING_AT, ticket);
    }

    /// A word of the peer's own control, any of them.
    void scribble(long at, int value) {
        control.set(ValueLayout.JAVA_INT, at, value);
    }

    @Override
    public void close() {
        socket.close();
        files.forEach(Descriptor::close);
        maps.forEach(kernel.mappings()::unmap);
    }
}
