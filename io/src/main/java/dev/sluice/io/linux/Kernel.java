package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The one door to the operating system: an object that is handed to whatever makes native calls.
///
/// Every call passes this kernel's [Gate] (where tests inject faults) and is counted in an [Account] (where `sluice
/// status` and the tests against `strace` look). Two kernels in one JVM share nothing. Thread-safe, and costs nothing
/// while idle.
///
/// All facilities answer a value: a result ≥ 0, or a negative error number of [Errno]. They never throw for what the
/// kernel says; EINTR and short counts are passed on, for only the caller knows what they mean there.
public final class Kernel {
    private static final MethodHandle CLOSE =
            Native.function("close", FunctionDescriptor.of(Native.C_INT, Native.C_INT));

    private final Gate gate;
    private final Account account;
    private final @Nullable Account tally;
    private final Files files;
    private final Mappings mappings;
    private final Sockets sockets;
    private final Epolls epolls;

    /// A kernel that lets every call through.
    public Kernel() {
        this(Gate.OPEN);
    }

    /// @param gate asked before each call
    public Kernel(Gate gate) {
        this(gate, Account.root("process"), null);
    }

    private Kernel(Gate gate, Account account, @Nullable Account tally) {
        this.gate = gate;
        this.account = account;
        this.tally = tally;
        this.files = new Files(this);
        this.mappings = new Mappings(this);
        this.sockets = new Sockets(this);
        this.epolls = new Epolls(this);
    }

    /// A second door to the same system, through the same gate: what is done through it is counted where it would
    /// be anyway, and once more in `tally`. That is how one transfer, between descriptors that others use too, can
    /// say what it cost.
    public Kernel tallying(Account newTally) {
        return new Kernel(gate, account, newTally);
    }

    /// Files and folders: open(2), pread(2), pwrite(2), fsync(2), fallocate(2) and their kin.
    public Files files() {
        return files;
    }

    /// Maps of files and of memory: mmap(2), madvise(2), msync(2).
    public Mappings mappings() {
        return mappings;
    }

    /// Stream sockets: socket(2), recv(2), send(2), sendfile(2) and their kin.
    public Sockets sockets() {
        return sockets;
    }

    /// Waiting for many descriptors: epoll(7), eventfd(2).
    public Epolls epolls() {
        return epolls;
    }

    // The facilities below hold nothing but this kernel, so they are made when asked for: binding their calls to libc
    // costs some milliseconds each, which a process that does not use them need not wait for.

    /// Pipes, and moving pages through them: pipe2(2), splice(2).
    public Pipes pipes() {
        return new Pipes(this);
    }

    /// File to file inside the kernel: copy_file_range(2), clones.
    public FileCopies fileCopies() {
        return new FileCopies(this);
    }

    /// Waiting for one or two descriptors: poll(2).
    public Polls polls() {
        return new Polls(this);
    }

    /// Where sockets tell which MSG_ZEROCOPY sends are over.
    public ErrorQueue errorQueue() {
        return new ErrorQueue(this);
    }

    /// Receiving by mapping: TCP_ZEROCOPY_RECEIVE.
    public TcpReceive tcpReceive() {
        return new TcpReceive(this);
    }

    /// What a network interface can do: SIOCETHTOOL.
    public Interfaces interfaces() {
        return new Interfaces(this);
    }

    /// How much of a file lies in the page cache: cachestat(2), mincore(2).
    public PageCache pageCache() {
        return new PageCache(this);
    }

    /// What a thread or the process has used: getrusage(2).
    public Resources resources() {
        return new Resources(this);
    }

    /// How the scheduler treats a thread: sched_setattr(2).
    public Scheduling scheduling() {
        return new Scheduling(this);
    }

    /// The three calls of io_uring(7).
    public IoUrings ioUrings() {
        return new IoUrings(this);
    }

    /// Positioned reads and writes that take flags: preadv2(2), pwritev2(2).
    public VectoredFiles vectoredFiles() {
        return new VectoredFiles(this);
    }

    /// What a block device says about itself: ioctl(2).
    public BlockDevices blockDevices() {
        return new BlockDevices(this);
    }

    /// Namespaces of the kernel: unshare(2).
    public Namespaces namespaces() {
        return new Namespaces(this);
    }

    /// Resource limits of this process: prlimit(2).
    public Limits limits() {
        return new Limits(this);
    }

    /// Leases on files: fcntl(2) with F_SETLEASE.
    public Leases leases() {
        return new Leases(this);
    }

    /// Files that live in memory alone, and their seals: memfd_create(2).
    public MemoryFiles memoryFiles() {
        return new MemoryFiles(this);
    }

    /// What UNIX sockets alone can do, descriptors passed through them: unix(7).
    public UnixSockets unixSockets() {
        return new UnixSockets(this);
    }

    /// Sleeping on a word that processes share: futex(2).
    public Futexes futexes() {
        return new Futexes(this);
    }

    /// Descriptors that stand for a process: pidfd_open(2).
    public Pidfds pidfds() {
        return new Pidfds(this);
    }

    /// In which pieces the page cache holds a file.
    public Folios folios() {
        return new Folios(this);
    }

    /// TLS records made and opened by the kernel: TCP_ULP.
    public KernelTls kernelTls() {
        return new KernelTls(this);
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

    /// Whether a short count may be the gate's instead of the kernel's: [Gate#mayShorten].
    public boolean mayShorten() {
        return gate.mayShorten();
    }

    long admit(Call call, String subject, long position, long lengthBytes) {
        return gate.admit(call, subject, position, lengthBytes);
    }

    long admit(Call call, Descriptor descriptor, long position, long lengthBytes) {
        return gate.admit(call, descriptor.name(), position, lengthBytes);
    }

    /// The same, for a transfer whose length must stay a multiple of `granularity`: a count that the gate made
    /// shorter is rounded down to one, to 1 × granularity at least, for an unaligned length would be refused, not
    /// shortened.
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

    /// Counts a call that answered `result` in the account of the descriptor it was made on, and answers `result`.
    long record(Account owner, Call call, long result, boolean carriesBytes) {
        if (tally != null) {
            tally.record(call, result, carriesBytes);
        }
        return owner.record(call, result, carriesBytes);
    }

    /// Counts a call that was made on two descriptors in the accounts of both. In the tally, and in a root that
    /// both accounts hang below, it is one call; two roots (a broker's connections and its segments) each have it.
    long record(Account source, Account sink, Call call, long result, boolean carriesBytes) {
        if (source != sink) {
            if (source.top() == sink.top()) {
                source.recordEcho(call, result, carriesBytes);
            } else {
                source.record(call, result, carriesBytes);
            }
        }
        return record(sink, call, result, carriesBytes);
    }

    /// A new descriptor for `result`, counted in `owner`, or its negative error number in [Opened].
    Opened opened(Call call, long result, String name, Account owner) {
        record(owner, call, result, false);
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
            record(owner, Call.CLOSE, Native.orErrno(result, captured), false);
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    static MemorySegment cString(Arena arena, Path path) {
        return arena.allocateFrom(path.toString());
    }
}
