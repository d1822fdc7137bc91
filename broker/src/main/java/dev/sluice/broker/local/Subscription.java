package dev.sluice.broker.local;

import dev.sluice.io.linux.PeerCredentials;
import dev.sluice.log.LogListener;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadableEnd;
import dev.sluice.log.SegmentOutcome;
import dev.sluice.log.local.EndPage;

/// A partition that a local reader has open: listens to its log, and tells the reader's page.
///
/// The server's thread opens, passes segments and closes; appenders and flushers publish. What the reader holds is what
/// was passed last: the broker can't see whether it has let go of what it got before.
final class Subscription implements LogListener {
    private final PeerCredentials peer;
    private final PartitionLog log;
    private final SharedPages pages;
    private final int slot;

    // Written by the server's thread, read by whoever asks for the status.
    private volatile long segmentBaseOffset;
    private volatile long segmentBytes;

    Subscription(PeerCredentials peer, PartitionLog log, SharedPages pages, int slot) {
        this.peer = peer;
        this.log = log;
        this.pages = pages;
        this.slot = slot;
    }

    PartitionLog log() {
        return log;
    }

    int slot() {
        return slot;
    }

    /// Listens from now on, and tells what there is.
    void begin() {
        pages.give(slot, this);
        log.addListener(this);
        pages.slotState(slot, this, EndPage.SLOT_OPEN);
        pages.publish(slot, this, log);
        stopped(log);
    }

    void end() {
        log.removeListener(this);
        pages.takeBack(slot, this);
    }

    /// The reader got this segment, and gives up the one before.
    void passed(SegmentOutcome.Found segment) {
        segmentBaseOffset = segment.baseOffset();
        segmentBytes = segment.endPosition();
    }

    /// Tells what no append does: where the log begins by now.
    void refresh() {
        pages.refresh(slot, this, log);
        ReadableEnd end = log.readableEnd();
        if (end.segmentBaseOffset() == segmentBaseOffset) {
            segmentBytes = end.position();
        }
    }

    @Override
    public void grown(PartitionLog grown, long lengthBytes) {
        pages.publish(slot, this, log);
    }

    @Override
    public void stopped(PartitionLog stopped) {
        if (log.isClosed()) { // else it only takes no more appends
            pages.publish(slot, this, log);
            pages.slotState(slot, this, EndPage.SLOT_DELETED);
        }
    }

    LocalReaderStatus status() {
        return new LocalReaderStatus(
                peer.pid(),
                peer.uid(),
                log.topic(),
                log.partition(),
                segmentBaseOffset,
                segmentBytes,
                !log.hasSegment(segmentBaseOffset));
    }
}
