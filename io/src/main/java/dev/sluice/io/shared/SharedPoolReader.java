package dev.sluice.io.shared;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The reader's end of a [SharedPool] of another process: receives buffers, reads them in place, releases them.
///
/// What the writer sent before it died is still received, and what was received stays readable until [#close], for the
/// memory lives as long as anybody has it. After that [#receive] throws.
///
/// **Trust.** The memory was verified when it was accepted: sealed against growing, shrinking and holes, all of it
/// allocated, of the size it should have; so touching it can't end this process. The writer can change its bytes at any
/// time: see [SharedBuffer#memory]. Its control memory is read as hostile.
///
/// One thread at a time uses it, and waits in [#receive] in native code: on a platform thread, for it would pin a
/// virtual one's carrier.
public final class SharedPoolReader implements AutoCloseable {
    /// Entries of 8 bytes that tell of a page each, read at a time.
    private static final long PAGEMAP_SCRATCH_BYTES = 4096;

    private final Kernel kernel;
    private final SealedMemory data;
    private final PeerLink link;
    private final boolean hasPrivateCopies;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment pagemapScratch = arena.allocate(PAGEMAP_SCRATCH_BYTES, 8);
    private final int bufferBytes;
    private final SharedBuffer[] buffers;
    private final boolean[] isHeld;
    private int heldCount;
    private long copiedBytes;
    private boolean isClosed;

    /// Why nothing comes any more.
    private @Nullable IOException end;

    private SharedPoolReader(
            Kernel kernel, Handshake shape, SealedMemory data, PeerLink link, boolean hasPrivateCopies) {
        this.kernel = kernel;
        this.data = data;
        this.link = link;
        this.hasPrivateCopies = hasPrivateCopies;
        this.bufferBytes = shape.bufferBytes();
        this.buffers = new SharedBuffer[shape.bufferCount()];
        this.isHeld = new boolean[shape.bufferCount()];
        for (int i = 0; i < buffers.length; i++) {
            MemorySegment part = Mappings.lend(data.segment(), (long) i * bufferBytes, bufferBytes, arena);
            buffers[i] = new SharedBuffer(this, i, part);
        }
    }

    /// Accepts the pool that the process at the other end of a socket gives us by [SharedPool#attach]. Waits for
    /// it, for some seconds at most.
    ///
    /// @param socket  connected, of [PeerSockets]; taken over, closed also when this fails
    /// @param account counts the calls on the pool's descriptors
    /// @throws PeerViolationException when the peer isn't a user that the config allows, or offers what can't be
    ///                                trusted, or more than the config takes
    public static SharedPoolReader accept(
            Kernel kernel, Descriptor socket, SharedPoolReaderConfig config, Account account) throws IOException {
        SealedMemory data = null;
        SealedMemory peers = null;
        SealedMemory own = null;
        SharedPoolReader reader = null;
        List<Descriptor> passed = List.of();
        try {
            Handshake.checkPeer(kernel, socket, config.otherUids());
            Handshake.Message offer = Handshake.receive(kernel, socket, 2, Handshake.TIMEOUT_MS);
            passed = offer.descriptors();
            Handshake shape = offer.shape();
            long dataBytes = (long) shape.bufferBytes() * shape.bufferCount();
            checkOffer(shape, dataBytes, config);
            long controlBytes = Control.lengthBytes(shape.bufferCount());
            data = SealedMemory.receive(kernel, passed.get(0), dataBytes, config.hasPrivateCopies());
            peers = SealedMemory.receive(kernel, passed.get(1), controlBytes, false);
            own = SealedMemory.create(kernel, "sluice shared pool, reader's control", controlBytes, account);
            shape.send(kernel, socket, List.of(own.file()));
            PeerLink link = new PeerLink(kernel, socket, own, peers, shape.bufferCount(), config.spinNs(), account);
            reader = new SharedPoolReader(kernel, shape, data, link, config.hasPrivateCopies());
            return reader;
        } finally {
            if (reader == null) {
                closeAll(socket, data, peers, own);
                passed.forEach(Descriptor::close); // again for some, which does nothing
            }
        }
    }

    private static void checkOffer(Handshake shape, long dataBytes, SharedPoolReaderConfig config)
            throws PeerViolationException {
        if (dataBytes > config.mostBytes()) {
            throw new PeerViolationException("The peer's pool has " + dataBytes + " bytes, and at most "
                    + config.mostBytes() + " are accepted (withMostBytes)");
        }
        if (config.hasPrivateCopies() && shape.bufferBytes() % Mappings.PAGE_BYTES != 0) {
            throw new PeerViolationException("Private copies need buffers of whole pages of " + Mappings.PAGE_BYTES
                    + " bytes, and the peer's have " + shape.bufferBytes());
        }
    }

    static void closeAll(@Nullable AutoCloseable... closeables) {
        for (AutoCloseable closeable : closeables) {
            if (closeable instanceof Descriptor descriptor) {
                descriptor.close();
            } else if (closeable instanceof SealedMemory memory) {
                memory.close();
            }
        }
    }

    /// The next buffer that the writer has sent, in the order in which it sent them. Release it when done.
    ///
    /// @param timeoutNs how long to wait for it; 0 not to wait
    /// @return null when none came in this time
    /// @throws PeerGoneException      when the writer is gone and all that it sent has been received
    /// @throws PeerViolationException when the writer broke the rules. Both are thrown again from then on; buffers
    ///                                that are held stay readable until [#close]
    public @Nullable SharedBuffer receive(long timeoutNs) throws IOException {
        requireGoing();
        try {
            if (!link.await(timeoutNs)) {
                return null;
            }
            return take();
        } catch (PeerGoneException | PeerViolationException e) {
            end = e;
            link.close();
            throw e;
        }
    }

    private SharedBuffer take() throws PeerViolationException {
        InRing in = link.in();
        in.next();
        int index = in.index();
        int lengthBytes = in.lengthBytes();
        if (index < 0 || index >= buffers.length || isHeld[index]) {
            throw new PeerViolationException("The peer sent buffer " + Integer.toUnsignedString(index)
                    + ", which isn't its own to send, of " + buffers.length);
        }
        if (lengthBytes < 0 || lengthBytes > bufferBytes) {
            throw new PeerViolationException(
                    "The peer sent " + Integer.toUnsignedString(lengthBytes) + " bytes in a buffer of " + bufferBytes);
        }
        isHeld[index] = true;
        heldCount++;
        buffers[index].received(in);
        return buffers[index];
    }

    /// Gives a buffer back to the writer, which fills it again: don't read from it any more. Never waits, and does
    /// no harm when the writer is gone. Private copies of its pages are dropped.
    public void release(SharedBuffer buffer) {
        if (isClosed || !buffer.isOf(this) || !isHeld[buffer.index()]) {
            throw new IllegalStateException(
                    "Buffer " + buffer.index() + " isn't one that was received from this pool and is still held");
        }
        if (hasPrivateCopies) {
            dropCopies(buffer.index());
        }
        isHeld[buffer.index()] = false;
        heldCount--;
        if (end == null) {
            link.put(buffer.index(), 0, 0, 0);
        }
    }

    private void dropCopies(int index) {
        MemorySegment part = data.segment().asSlice((long) index * bufferBytes, bufferBytes);
        long pages = kernel.mappings().privatePages(part, pagemapScratch);
        copiedBytes += Math.max(0, pages) * Mappings.PAGE_BYTES;
        if (pages != 0) { // also when they couldn't be counted
            kernel.mappings().advise(part, Mappings.MADV_DONTNEED);
        }
    }

    /// Bytes that our stores made the kernel copy, in whole pages, counted when their buffers were released. 0
    /// without [SharedPoolReaderConfig#withPrivateCopies].
    public long copiedBytes() {
        return copiedBytes;
    }

    /// Buffers received and not released.
    public int heldBuffers() {
        return heldCount;
    }

    /// For an event loop: what becomes readable when the writer sends a buffer after [#arm], and hangs up when it
    /// is gone. Borrowed; don't read from it.
    public Descriptor readiness() {
        return link.socket();
    }

    /// Asks the writer to make [#readiness] readable with the next buffer that it sends. Ask again after each time,
    /// before waiting.
    ///
    /// @return false when a buffer can be received already; don't wait then
    /// @throws PeerGoneException as [#receive] does
    public boolean arm() throws IOException {
        requireGoing();
        try {
            return link.arm();
        } catch (PeerGoneException | PeerViolationException e) {
            end = e;
            link.close();
            throw e;
        }
    }

    private void requireGoing() throws IOException {
        if (isClosed) {
            throw new IllegalStateException("The reader's end of the pool is closed");
        }
        if (end != null) {
            throw end;
        }
    }

    /// Closes the connection, which gives all buffers back to the writer, and frees our map of the memory.
    ///
    /// @throws IllegalStateException when a native call of another thread is using a buffer; then nothing is freed
    @Override
    public void close() {
        if (!isClosed) {
            arena.close();
            isClosed = true;
            link.close();
            data.close();
        }
    }
}
