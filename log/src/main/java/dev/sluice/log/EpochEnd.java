package dev.sluice.log;

/// Where a leader epoch ended.
///
/// @param epoch     the newest one not after the one that was asked for
/// @param endOffset the first offset that is not of this epoch or an older one
public record EpochEnd(int epoch, long endOffset) {
    /// Of an epoch that has not begun yet.
    public static final EpochEnd UNKNOWN = new EpochEnd(-1, -1);
}
