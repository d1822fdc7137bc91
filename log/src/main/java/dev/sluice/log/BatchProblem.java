package dev.sluice.log;

/// Why a batch may not be appended, as far as that can be told without decompressing it.
///
/// Each names the error code of Kafka's protocol that Kafka 4.3.1 answers in the same case.
public enum BatchProblem {
    /// There is none.
    NONE,
    /// Fewer bytes than a batch's header: INVALID_RECORD.
    TOO_SHORT,
    /// The length in the header is not the length given: bytes are missing, or more than one batch:
    /// INVALID_RECORD.
    NOT_ONE_BATCH,
    /// The magic byte is not 2: INVALID_RECORD.
    WRONG_MAGIC,
    /// The base offset, which is the broker's to give, is not 0: INVALID_RECORD.
    WRONG_BASE_OFFSET,
    /// More bytes than `max.message.bytes`: MESSAGE_TOO_LARGE.
    TOO_LARGE,
    /// The checksum does not fit the bytes: CORRUPT_MESSAGE.
    WRONG_CRC,
    /// No record, or a count that is not the last offset delta + 1: INVALID_RECORD.
    WRONG_COUNT,
    /// A control batch, which brokers alone may write: INVALID_RECORD.
    CONTROL,
    /// A compression code that nobody has defined: CORRUPT_MESSAGE.
    UNKNOWN_COMPRESSION,
    /// A producer id without a sequence number: INVALID_RECORD.
    NEGATIVE_SEQUENCE,
    /// Timestamps marked as the broker's, by a client: INVALID_TIMESTAMP.
    LOG_APPEND_TIME
}
