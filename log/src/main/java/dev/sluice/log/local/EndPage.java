package dev.sluice.log.local;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/// The page that tells a local reader how far it may read: written by the broker, mapped read-only by the reader, one
/// page a connection, one cache line a partition. In the machine's byte order: it never leaves the machine.
///
/// ```
///  0 i32 magic   4 i32 version   8 i32 changes   12 i32 state: 0 open, 1 the broker stops
/// 64·(slot + 1), for each of 63 slots:
///  0 i64 high watermark
///  8 i64 base offset of the segment that it lies in     16 i64 log start offset
/// 24 i32 end position in that segment                   28 i32 state: 0 free, 1 open, 2 deleted
/// ```
///
/// **Order.** The broker stores base offset, end position and then, with release, the high watermark. A reader loads
/// the high watermark with acquire, then the end position, then the base offset. If the base offset is still that of
/// the segment it is in, then every offset below the watermark that it has not read lies in there, below the end
/// position; what it loaded later can only be newer. If it is another, the reader's segment is sealed by now.
///
/// **Changes** is the word to sleep on. It is raised when a sleeper is to be woken, after everything else and after
/// [#takeWaiting] has taken the word back that said that somebody waits: so a reader that looks at `changes`, then
/// announces itself, then looks at the ends, and sleeps only while `changes` is as it was, misses nothing. Looking at
/// `changes` behind the announcement would: a broker that comes late, for news which the reader has seen meanwhile,
/// may take the new announcement and raise `changes` in between, and nobody would wake who sleeps on that.
///
/// Borrows its memory. Each slot has one writer at a time.
public final class EndPage {
    /// The size of the page in the map that both sides share.
    public static final int BYTES = 4096;
    /// Partitions that a connection has at most.
    public static final int SLOTS = 63;

    /// What [#state] is while the broker runs.
    public static final int OPEN = 0;
    /// The broker stops: what is published stays so, and nothing is added.
    public static final int STOPPED = 1;

    /// No partition has the slot.
    public static final int SLOT_FREE = 0;
    /// One has, and its ends are published.
    public static final int SLOT_OPEN = 1;
    /// It was deleted; its last ends stay as they were.
    public static final int SLOT_DELETED = 2;

    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private static final long CHANGES_AT = 8;
    private static final long STATE_AT = 12;
    private static final long SLOT_BYTES = 64;
    private static final long BASE_OFFSET_AT = 8;
    private static final long LOG_START_AT = 16;
    private static final long END_POSITION_AT = 24;
    private static final long SLOT_STATE_AT = 28;

    private final MemorySegment page;

    /// @param page [#BYTES] of a shared map
    public EndPage(MemorySegment page) {
        this.page = page;
    }

    // ---- What the broker does

    /// Prepares a page of zeros.
    public void begin() {
        page.set(ValueLayout.JAVA_INT, 0, LocalRequest.MAGIC);
        page.set(ValueLayout.JAVA_INT, 4, LocalRequest.VERSION);
    }

    /// Tells how far a partition may be read.
    public void publish(int slot, long highWatermark, long baseOffset, int endPosition, long logStartOffset) {
        long at = at(slot);
        LONG.setOpaque(page, at + LOG_START_AT, logStartOffset);
        LONG.setRelease(page, at + BASE_OFFSET_AT, baseOffset);
        INT.setRelease(page, at + END_POSITION_AT, endPosition);
        LONG.setRelease(page, at, highWatermark);
    }

    /// Tells whose a slot is: one of `SLOT_…`.
    public void slotState(int slot, int state) {
        INT.setRelease(page, at(slot) + SLOT_STATE_AT, state);
    }

    /// Tells that the broker runs or stops: [#OPEN] or [#STOPPED].
    public void state(int state) {
        INT.setRelease(page, STATE_AT, state);
    }

    /// Raises the word that readers sleep on; then wake them.
    public void raiseChanges() {
        INT.getAndAdd(page, CHANGES_AT, 1);
    }

    /// Whether the reader said that it waits; takes that back.
    ///
    /// @param waiting the page that the reader writes; any value may be there
    public static boolean takeWaiting(MemorySegment waiting) {
        VarHandle.fullFence(); // what was published above must be visible before the look at the reader's word
        return (int) INT.getOpaque(waiting, 0L) != 0 && (int) INT.getAndSet(waiting, 0L, 0) != 0;
    }

    // ---- What the reader does

    /// Whether this is such a page, in a version that is known.
    boolean isValid() {
        return page.get(ValueLayout.JAVA_INT, 0) == LocalRequest.MAGIC
                && page.get(ValueLayout.JAVA_INT, 4) == LocalRequest.VERSION;
    }

    long highWatermark(int slot) {
        return (long) LONG.getAcquire(page, at(slot));
    }

    int endPosition(int slot) {
        return (int) INT.getAcquire(page, at(slot) + END_POSITION_AT);
    }

    long baseOffset(int slot) {
        return (long) LONG.getAcquire(page, at(slot) + BASE_OFFSET_AT);
    }

    long logStartOffset(int slot) {
        return (long) LONG.getOpaque(page, at(slot) + LOG_START_AT);
    }

    boolean isDeleted(int slot) {
        return (int) INT.getAcquire(page, at(slot) + SLOT_STATE_AT) == SLOT_DELETED;
    }

    boolean isStopped() {
        return (int) INT.getAcquire(page, STATE_AT) == STOPPED;
    }

    private int changes() {
        return (int) INT.getAcquire(page, CHANGES_AT);
    }

    /// Says that the reader is about to sleep. Then it looks at the ends once more.
    ///
    /// @param waiting the page that the reader writes
    /// @return what the word to sleep on was before that, and has to be for the reader to sleep
    int beginWaiting(MemorySegment waiting) {
        int changes = changes(); // before the announcement: whoever takes that raises it afterwards
        setWaiting(waiting, true);
        return changes;
    }

    /// Says that the reader is awake.
    static void endWaiting(MemorySegment waiting) {
        setWaiting(waiting, false);
    }

    /// A full fence lies behind the store, and is needed: reader and broker each store a word and then load the
    /// other's (`waiting` then the ends here; the ends then `waiting` in [#takeWaiting]). With release and acquire
    /// alone both stores may still be in their processors' store buffers while both loads are made, on x86 too: the
    /// reader sees no news, the broker nobody who waits, and the reader sleeps on it. With a fence on both sides
    /// one of the two sees the other. That the reader is awake may be told late: it costs one wake-up of nobody, so
    /// no fence then.
    private static void setWaiting(MemorySegment waiting, boolean isWaiting) {
        if (isWaiting) {
            INT.setVolatile(waiting, 0L, 1);
            VarHandle.fullFence(); // setVolatile orders volatile loads behind it, and those of the ends only acquire
        } else {
            INT.setOpaque(waiting, 0L, 0);
        }
    }

    /// The word to sleep on.
    public MemorySegment changesWord() {
        return page.asSlice(CHANGES_AT, Integer.BYTES);
    }

    private static long at(int slot) {
        return SLOT_BYTES * (slot + 1);
    }
}
