package dev.sluice.broker.protocol;

import java.lang.foreign.MemorySegment;

/// The size before every request and response: `int32 n | n bytes`.
public final class Frames {
    public static final int SIZE_BYTES = 4;

    /// Up to the end of what [#apiKey] reads.
    public static final int API_KEY_END = SIZE_BYTES + Short.BYTES;

    private Frames() {}

    /// The API that a request's frame is for.
    ///
    /// @param position of the frame's first byte; [#API_KEY_END] bytes of it must have been received
    public static short apiKey(MemorySegment memory, long position) {
        return memory.get(Wire.INT16, position + SIZE_BYTES);
    }

    /// The size that a frame declares.
    ///
    /// @param position     of its first byte; the four bytes of the size must have been received
    /// @param largestBytes the most that is taken (socket.request.max.bytes)
    /// @return bytes after the four of the size, between 0 and `largestBytes`
    /// @throws MalformedRequestException when it is negative or larger
    public static int size(MemorySegment memory, long position, int largestBytes) {
        int size = memory.get(Wire.INT32, position);
        if (size < 0 || size > largestBytes) {
            throw new MalformedRequestException("frame size", position, size + " is not within 0 and " + largestBytes);
        }
        return size;
    }
}
