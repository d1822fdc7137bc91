package dev.sluice.log;

/// Where a batch lies in its segment.
///
/// @param baseOffset  offset of its first record
/// @param position    its first byte
/// @param lengthBytes its length
record BatchPlace(long baseOffset, int position, int lengthBytes) {}
