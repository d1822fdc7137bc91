package dev.sluice.log;

/// Where what readers may see of a log ended at one moment.
///
/// @param offset            the high watermark
/// @param segmentBaseOffset of the segment that it lies in
/// @param position          where the batches below it end, in that segment's file
public record ReadableEnd(long offset, long segmentBaseOffset, int position) {}
