package dev.sluice.broker.protocol;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The protocol's primitive encodings: big-endian, unaligned.
///
/// https://kafka.apache.org/protocol#protocol_types
final class Wire {
    static final ValueLayout.OfByte INT8 = ValueLayout.JAVA_BYTE;
    static final ValueLayout.OfShort INT16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    static final ValueLayout.OfInt INT32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    static final ValueLayout.OfLong INT64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /// The longest string: the older encoding has an int16 for its length, the compact one is held to the same.
    static final int STRING_BYTES = Short.MAX_VALUE;

    /// Two longs, most significant first.
    static final int UUID_BYTES = 16;

    private Wire() {}
}
