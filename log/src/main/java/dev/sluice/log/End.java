package dev.sluice.log;

/// An end that a log had at one moment: what is published in the segments up to this one, and `published` in it.
///
/// @param published see [Segment#published()]
record End(Segment segment, long published) {
    /// The offset behind the last record.
    long offset() {
        return segment.endOffset(published);
    }

    int position() {
        return Segment.endPosition(published);
    }
}
