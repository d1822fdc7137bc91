package dev.sluice.io.transfer;

import dev.sluice.io.linux.Descriptor;

/// A range of a file that is to be sent, and the hold that keeps the file open until it was.
///
/// @param file        the open file; borrowed for as long as the hold lasts
/// @param position    first byte
/// @param lengthBytes number of bytes, ≥ 0
/// @param hold        released exactly once, when the span was sent or given up
public record Span(Descriptor file, long position, long lengthBytes, Hold hold) implements SocketWriter.Piece {}
