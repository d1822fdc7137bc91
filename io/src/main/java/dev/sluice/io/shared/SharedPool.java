package dev.sluice.io.shared;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A pool of buffers of one size that this process fills and another one reads in place: no byte is copied on the way,
/// and a buffer is handed over by its number, without a system call as long as nobody has to be woken. What Solaris
/// called fbufs.
///
/// ```
///              acquire            send               the reader releases it, or is gone
///      FREE ───────────▶ FILLING ───────────▶ SENT ─────────────────────────────────────▶ FREE
///       ▲                   │
///       └───── discard ─────┘
/// ```
///
/// This is the writer's end; the reader's is [SharedPoolReader]. One reader is attached at a time; when it is gone, by
/// its death or [#detach], every buffer that it had is free again, and another may be attached. Who was given the pool
/// can read all of it for ever, later bytes too: that can't be revoked. A pool goes one way; for both ways make two.
///
/// **Trust.** The reader can't write to the data, shrink it or punch holes into it, whatever it does with the
/// descriptors it was passed, not as root either. Its control memory is read as hostile. What it can do: never release
/// (then [#acquire] answers null until you detach it), wake us for nothing. Processes of one user can usually stop,
/// trace and kill each other; no pool protects against that.
///
/// One thread at a time uses the pool, and waits in [#acquire] in native code: on a platform thread, for it would pin a
/// virtual one's carrier. The data's memory belongs to the pool and goes with [#close].
public final class SharedPool implements AutoCloseable {
    private enum State {
        FREE,
        FILLING,
        SENT
    }

    private final Kernel kernel;
    private final SharedPoolConfig config;
    private final Account account;
    private final SealedMemory data;
    private final Arena arena = Arena.ofShared();
    private final SharedBuffer[] buffers;
    private final State[] states;

    /// Numbers of the free buffers, a stack: the one that was used last is the likeliest to be in a cache.
    private final int[] free;

    private int freeCount;
    private @Nullable PeerLink link;
    private boolean isClosed;

    private SharedPool(Kernel kernel, SharedPoolConfig config, Account account, SealedMemory data) {
        this.kernel = kernel;
        this.config = config;
        this.account = account;
        this.data = data;
        this.buffers = new SharedBuffer[config.bufferCount()];
        this.states = new State[config.bufferCount()];
        this.free = new int[config.bufferCount()];
        for (int i = config.bufferCount() - 1; i >= 0; i--) {
            MemorySegment part =
                    Mappings.lend(data.segment(), (long) i * config.bufferBytes(), config.bufferBytes(), arena);
            buffers[i] = new SharedBuffer(this, i, part);
            states[i] = State.FREE;
            free[freeCount++] = i;
        }
    }

    /// A pool that nobody else has yet. All its memory is allocated now, so nothing can fail for want of it later.
    ///
    /// @param account counts the calls on the pool's descriptors
    /// @throws ErrnoException when there is not so much memory
    public static SharedPool create(Kernel kernel, SharedPoolConfig config, Account account) throws ErrnoException {
        SealedMemory data = SealedMemory.create(kernel, "sluice shared pool", config.dataBytes(), account);
        return new SharedPool(kernel, config, account, data);
    }

    /// Gives the pool to the process at the other end of a socket, which calls [SharedPoolReader#accept] there.
    /// Waits for it, for some seconds at most.
    ///
    /// @param socket connected, of [PeerSockets]; taken over, closed also when this fails
    /// @throws PeerViolationException when the peer isn't a user that the config allows, or its answer is wrong
    public void attach(Descriptor socket) throws IOException {
        if (link != null) {
            throw new IllegalStateException("A reader is attached; detach it before the next");
        }
        requireOpen();
        SealedMemory own = null;
        SealedMemory peers = null;
        try {
            Handshake.checkPeer(kernel, socket, config.otherUids());
            long controlBytes = Control.lengthBytes(config.bufferCount());
            own = SealedMemory.create(kernel, "sluice shared pool, writer's control", controlBytes, account);
            Handshake shape = new Handshake(config.bufferBytes(), config.bufferCount());
            shape.send(kernel, socket, List.of(data.file(), own.file()));
            Handshake.Message answer = Handshake.receive(kernel, socket, 1, Handshake.TIMEOUT_MS);
            peers = SealedMemory.receive(kernel, answer.descriptors().getFirst(), controlBytes, false);
            if (!answer.shape().equals(shape)) {
                throw new PeerViolationException("The peer answered to another pool than it was offered");
            }
            link = new PeerLink(kernel, socket, own, peers, config.bufferCount(), config.spinNs(), account);
        } finally {
            if (link == null) {
                SharedPoolReader.closeAll(socket, own, peers);
            }
        }
    }

    /// Whether there is a reader, as far as we have noticed. A death is noticed by a call that waits or arms.
    public boolean isAttached() {
        return link != null;
    }

    /// A free buffer to fill.
    ///
    /// @param timeoutNs how long to wait for the reader to release one; 0 not to wait
    /// @return null when none became free in this time: the reader is behind, or holds them on purpose ([#detach]
    ///     takes them back)
    /// @throws PeerGoneException      when none is free and there is no reader that could release one
    /// @throws PeerViolationException when the reader broke the rules; it is detached, try again
    public @Nullable SharedBuffer acquire(long timeoutNs) throws IOException {
        requireOpen();
        if (link != null) {
            collect(freeCount == 0 ? timeoutNs : 0);
        }
        if (freeCount == 0) {
            if (link == null) {
                throw new PeerGoneException("All buffers are being filled, and no reader is attached that could release"
                        + " one: send or discard some");
            }
            return null;
        }
        int index = free[--freeCount];
        states[index] = State.FILLING;
        return buffers[index];
    }

    /// Takes back what the reader has released, waiting for the first of it. When it turns out to be gone,
    /// everything is back.
    private void collect(long timeoutNs) throws IOException {
        PeerLink peer = peer();
        try {
            if (!peer.await(timeoutNs)) {
                return;
            }
            // Ends: each turn makes one of a bounded number of sent buffers free, or throws.
            while (peer.in().hasNext()) {
                peer.in().next();
                int index = peer.in().index();
                if (index < 0 || index >= buffers.length || states[index] != State.SENT) {
                    throw new PeerViolationException("The peer released buffer " + Integer.toUnsignedString(index)
                            + ", which it wasn't sent, of " + buffers.length);
                }
                toFree(index);
            }
        } catch (PeerGoneException _) {
            detach();
        } catch (PeerViolationException e) {
            detach();
            throw e;
        }
    }

    /// Hands a filled buffer to the reader. Don't write to it from now on: the reader would see it.
    ///
    /// @param lengthBytes how many of its bytes, from the first on; 0 is allowed
    /// @throws PeerGoneException when no reader is attached; the buffer stays yours
    public void send(SharedBuffer buffer, int lengthBytes) throws PeerGoneException {
        send(buffer, lengthBytes, 0, 0);
    }

    /// The same, with a CRC-32C of the bytes for [SharedBuffer#copyTo]: one more look at each byte.
    public void sendWithChecksum(SharedBuffer buffer, int lengthBytes) throws PeerGoneException {
        require(buffer);
        send(buffer, lengthBytes, SharedBuffer.checksumOf(buffer.memory().asSlice(0, lengthBytes)), 1);
    }

    private void send(SharedBuffer buffer, int lengthBytes, int checksum, int flags) throws PeerGoneException {
        require(buffer);
        if (lengthBytes < 0 || lengthBytes > config.bufferBytes()) {
            throw new IllegalArgumentException(
                    "A buffer of " + config.bufferBytes() + " bytes can't carry " + lengthBytes);
        }
        PeerLink peer = peer();
        states[buffer.index()] = State.SENT;
        peer.put(buffer.index(), lengthBytes, checksum, flags);
    }

    /// Gives back a buffer that was acquired and isn't sent after all.
    public void discard(SharedBuffer buffer) {
        require(buffer);
        toFree(buffer.index());
    }

    private void toFree(int index) {
        states[index] = State.FREE;
        free[freeCount++] = index;
    }

    /// Lets the reader go: its connection is closed, what was sent to it is free again. Does nothing when there is
    /// none. The reader learns of it, and may still read the pool's memory.
    public void detach() {
        PeerLink peer = link;
        if (peer == null) {
            return;
        }
        link = null;
        peer.close();
        for (int i = 0; i < states.length; i++) {
            if (states[i] == State.SENT) {
                toFree(i);
            }
        }
    }

    /// Buffers that can be acquired without waiting, as far as we have looked.
    public int freeBuffers() {
        return freeCount;
    }

    /// For an event loop: what becomes readable when the reader releases a buffer after [#arm], and hangs up when
    /// it is gone. Borrowed; don't read from it.
    public Descriptor readiness() throws PeerGoneException {
        return peer().socket();
    }

    /// Asks the reader to make [#readiness] readable with the next buffer that it releases. Ask again after each
    /// time, before waiting.
    ///
    /// @return false when a buffer can be acquired already, also because the reader turned out to be gone
    ///     ([#isAttached]); don't wait then
    /// @throws PeerGoneException when there is no reader, and no buffer either
    public boolean arm() throws IOException {
        PeerLink peer = peer();
        if (freeCount > 0) {
            if (!peer.isAlive()) {
                detach(); // or a loop that was told of its end would be told again and again
            }
            return false;
        }
        try {
            return peer.arm();
        } catch (PeerGoneException e) {
            detach();
            if (freeCount == 0) {
                throw e;
            }
            return false;
        } catch (PeerViolationException e) {
            detach();
            throw e;
        }
    }

    private PeerLink peer() throws PeerGoneException {
        if (link == null) {
            throw new PeerGoneException("No reader is attached to the pool");
        }
        return link;
    }

    private void require(SharedBuffer buffer) {
        requireOpen();
        if (!buffer.isOf(this) || states[buffer.index()] != State.FILLING) {
            throw new IllegalStateException(
                    "Buffer " + buffer.index() + " isn't one that was acquired from this pool and is still held");
        }
    }

    private void requireOpen() {
        if (isClosed) {
            throw new IllegalStateException("The pool is closed");
        }
    }

    /// Lets the reader go and frees our map of the memory; the memory itself goes when the reader has closed its
    /// end.
    ///
    /// @throws IllegalStateException when a native call of another thread is using a buffer; then nothing is freed
    @Override
    public void close() {
        if (!isClosed) {
            detach();
            arena.close();
            isClosed = true;
            data.close();
        }
    }
}
