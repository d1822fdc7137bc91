package dev.sluice.log;

/// How the records of a batch are compressed: the low three bits of its attributes. The log never decompresses.
public enum Compression {
    NONE,
    GZIP,
    SNAPPY,
    LZ4,
    ZSTD,
    /// A code that Kafka 4.3.1 does not define.
    UNKNOWN;

    private static final Compression[] BY_CODE = {NONE, GZIP, SNAPPY, LZ4, ZSTD, UNKNOWN, UNKNOWN, UNKNOWN};

    /// The bits of a batch's attributes that hold the code, which is the constant's place here.
    static final int MASK = 7;

    static Compression of(int attributes) {
        return BY_CODE[attributes & MASK];
    }
}
