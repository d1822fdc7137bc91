package dev.sluice.broker.protocol;

import java.io.IOException;
import java.io.Serial;

/// The records of a batch are not what a batch's records are: it was stored as its producer wrote it, and the disk is
/// not to blame.
public final class UnreadableRecordsException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    UnreadableRecordsException(long baseOffset, Exception cause) {
        super(
                "The records of the batch at offset " + baseOffset + " can't be read: " + cause.getMessage()
                        + ". Their producer wrote them so; delete them with DeleteRecords, or let them expire",
                cause);
    }
}
