package dev.sluice.io.async;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One read, write or sync: filled by its owner, given to a [FileQueue], and filled again once it is over.
///
/// ```
///  idle ── read/write/sync, durable, linked ──▶ idle (filled) ── stage ──▶ pending ── Completion ──▶ idle
/// ```
///
/// Whoever makes one owns it, except while it is pending: then the queue does, and through it the kernel owns the
/// memory that it names. A [PoolBuffer] is kept from going back to its pool until then, whoever else releases it. Other
/// memory is the caller's to keep: it must stay allocated, unread and unwritten until the completion, because the
/// kernel writes to where it was. An operation belongs to one thread, that of its queue.
public final class FileOperation {
    enum Kind {
        NOTHING,
        READ,
        WRITE,
        SYNC
    }

    private final Completion completion;
    private final long token;

    Kind kind = Kind.NOTHING;

    @Nullable QueuedFile file;

    @Nullable PoolBuffer buffer;

    @Nullable MemorySegment memory;

    int lengthBytes;
    long position;
    boolean dataOnly;
    boolean durable;
    boolean linked;

    // While pending: the queue's.
    boolean pending;
    int slot;
    boolean cancelled;

    // The ring's: what to answer instead of the kernel, for an operation that a gate refused; 0 for none.
    int refusal;

    // The threads': the operation linked behind this one, the next one in a list, whether a thread has begun it, its
    // result.
    @Nullable FileOperation follower;

    @Nullable FileOperation next;

    boolean begun;
    int result;

    /// @param completion told when the operation is over
    /// @param token      whatever lets the caller know it again
    public FileOperation(Completion completion, long token) {
        this.completion = completion;
        this.token = token;
    }

    /// What the caller knows it again by.
    public long token() {
        return token;
    }

    /// Whether it was submitted and is not over: until then its buffer is the kernel's.
    public boolean isPending() {
        return pending;
    }

    /// The position that it was filled with; of no meaning for a sync.
    public long position() {
        return position;
    }

    /// The length that it was filled with; 0 for a sync.
    public int lengthBytes() {
        return lengthBytes;
    }

    /// To read into a pool's buffer.
    ///
    /// @param bufferPosition first byte of the buffer
    /// @param position byte of the file; −1 for the descriptor's own position, as pipes want it
    public FileOperation read(QueuedFile from, PoolBuffer target, int bufferPosition, int lengthBytes, long position) {
        return fill(Kind.READ, from, target, target.slice(bufferPosition, lengthBytes), lengthBytes, position);
    }

    /// To write from a pool's buffer.
    public FileOperation write(QueuedFile to, PoolBuffer source, int bufferPosition, int lengthBytes, long position) {
        return fill(Kind.WRITE, to, source, source.slice(bufferPosition, lengthBytes), lengthBytes, position);
    }

    /// To read into native memory of the caller's, all of it.
    public FileOperation read(QueuedFile from, MemorySegment target, long position) {
        return fill(Kind.READ, from, null, target, Math.toIntExact(target.byteSize()), position);
    }

    /// To write native memory of the caller's, all of it.
    public FileOperation write(QueuedFile to, MemorySegment source, long position) {
        return fill(Kind.WRITE, to, null, source, Math.toIntExact(source.byteSize()), position);
    }

    /// To force to the device what was written to the file and is complete; what is still pending is not waited
    /// for.
    ///
    /// A failure means that something written before is lost, and it is reported once: never try again and believe
    /// the answer.
    ///
    /// @param dataOnly fdatasync: leave out metadata that reading the bytes back does not need
    public FileOperation sync(QueuedFile of, boolean dataOnly) {
        fill(Kind.SYNC, of, null, null, 0, 0);
        this.dataOnly = dataOnly;
        return this;
    }

    /// The write is over when its bytes are on the device (RWF_DSYNC). Set after filling.
    public FileOperation durable() {
        durable = true;
        return this;
    }

    /// The next operation that is staged begins when this one has succeeded in full, and is cancelled otherwise:
    /// after an error, and after a short count too. Set after filling.
    public FileOperation linked() {
        linked = true;
        return this;
    }

    private FileOperation fill(
            Kind newKind,
            QueuedFile newFile,
            @Nullable PoolBuffer newBuffer,
            @Nullable MemorySegment newMemory,
            int newLengthBytes,
            long newPosition) {
        if (pending) {
            throw new IllegalStateException("the operation is pending on " + file);
        }
        kind = newKind;
        file = newFile;
        buffer = newBuffer;
        memory = newMemory;
        lengthBytes = newLengthBytes;
        position = newPosition;
        dataOnly = false;
        durable = false;
        linked = false;
        return this;
    }

    QueuedFile requireFile() {
        return Objects.requireNonNull(file, "the operation was not filled");
    }

    /// Takes it over: from here on its memory is the kernel's.
    void begin() {
        if (pending || kind == Kind.NOTHING) {
            throw new IllegalStateException(
                    pending ? "the operation is pending already" : "the operation is not filled");
        }
        if (buffer != null) {
            buffer.retain();
        }
        pending = true;
        cancelled = false;
        begun = false;
        refusal = 0;
        follower = null;
        next = null;
        requireFile().pending++;
    }

    /// Gives it back to its owner, and tells them. The buffer is released last, so that they can still read it.
    void finish(int finalResult) {
        pending = false;
        kind = Kind.NOTHING;
        requireFile().pending--;
        PoolBuffer held = buffer;
        buffer = null;
        memory = null;
        try {
            completion.completed(this, finalResult);
        } finally {
            if (held != null) {
                held.release();
            }
        }
    }
}
