package dev.sluice.log;

/// One entry of an index; see [IndexFormat] for what key and value are.
record IndexEntry(long key, int value) {}
