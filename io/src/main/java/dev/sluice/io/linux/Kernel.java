package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The one door to the operating system: an object that is handed to whatever makes native calls.
///
/// Every call passes this kernel's [Gate] (where tests inject faults) and is counted in an [Account] (where `sluice status`
/// and the tests against `strace` look). Two kernels in one JVM share nothing. Thread-safe, and costs nothing while idle.
///
/// All facilities answer a value: a result ≥ 0, or a negative error number of [Errno]. They never throw for what the
/// kernel says; EINTR and short counts are passed on, for only the caller knows what they mean there.
public final class Kernel {
    private static final MethodHandle CLOSE =
            Native.function("close", FunctionDescriptor.of(Native.C_INT, Native.C_INT));

    private final Gate gate;
    private final Account account;
    private final Files files;
    private final Mappings mappings;
    private final Sockets sockets;
    private final Epolls epolls;
    private final Pipes pipes;
    private final IoUrings ioUrings;
    private final VectoredFiles vectoredFiles;
    private final BlockDevices blockDevices;
    private final Limits limits;

    /// A kernel that lets every call through.
    public Kernel() {
        this(Gate.OPEN);
    }

    public Kernel(Gate gate) {
        this.gate = gate;
        this.account = Account.root("process");
        this.files = new Files(this);
        this.mappings = new Mappings(this);
        this.sockets = new Sockets(this);
        this.epolls = new Epolls(this);
        this.pipes = new Pipes(this);
        this.ioUrings = new IoUrings(this);
        this.vectoredFiles = new VectoredFiles(this);
        this.blockDevices = new BlockDevices(this);
        this.limits = new Limits(this);
    }

    public Files files() {
        return files;
    }

    public Mappings mappings() {
        return mappings;
    }

    public Sockets sockets() {
        return sockets;
    }

    public Epolls epolls() {
        return epolls;
    }

    public Pipes pipes() {
        return pipes;
    }

    public IoUrings ioUrings() {
        return ioUrings;
    }

    public VectoredFiles vectoredFiles() {
        return vectoredFiles;
    }

    public BlockDevices blockDevices() {
        return blockDevices;
    }

    public Limits limits() {
        return limits;
    }

    /// Counts the calls that are made on no descriptor that has an account of its own.
    public Account account() {
        return account;
    }

    /// Takes over a descriptor number that came from elsewhere (a NIO channel, a UNIX socket's message, file 0–2).
    /// The caller must not use or close the number by another way from then on.
    public Descriptor adopt(int number, String name, Account owner) {
        return new Descriptor(this, number, name, owner);
    }

    long admit(Call call, String subject, long position, long lengthBytes) {
        return gate.admit(call, subject, position, lengthBytes);
    }

    long admit(Call call, Descriptor descriptor, long position, long lengthBytes) {
        return gate.admit(call, descriptor.name(), position, lengthBytes);
    }

    /// The same, for a transfer whose length must stay a multiple of `granularity`: a count that the gate made shorter is
    /// rounded down to one, to 1 × granularity at least, for an unaligned length would be refused, not shortened.
    long admit(Call call, Descriptor descriptor, long position, long lengthBytes, int granularity) {
        long admitted = gate.admit(call, descriptor.name(), position, lengthBytes);
        return admitted <= 0 || admitted == lengthBytes
                ? admitted
                : Math.min(lengthBytes, Math.max(admitted - admitted % granularity, granularity));
    }

    long admit(Call call, Descriptor descriptor) {
        return gate.admit(call, descriptor.name(), -1, 0);
    }

    long admit(Call call, String subject) {
        return gate.admit(call, subject, -1, 0);
    }

    /// A new descriptor for `result`, counted in `owner`, or its negative error number in [Opened].
    Opened opened(Call call, long result, String name, Account owner) {
        owner.record(call, result, false);
        return result < 0
                ? new Opened.Failed(call, (int) -result, name)
                : new Opened.Ok(new Descriptor(this, (int) result, name, owner));
    }

    void close(int number, String name, Account owner) {
        // The gate may only look: a descriptor that is not closed would leak without anybody's being told.
        gate.admit(Call.CLOSE, name, -1, 0);
        MemorySegment captured = Native.capture();
        try {
            int result = (int) CLOSE.invokeExact(captured, number);
            owner.record(Call.CLOSE, Native.orErrno(result, captured), false);
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    static MemorySegment cString(Arena arena, Path path) {
        return arena.allocateFrom(path.toString());
    }
}
