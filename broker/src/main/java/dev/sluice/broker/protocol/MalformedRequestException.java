package dev.sluice.broker.protocol;

/// The bytes of a request don't follow the protocol. No answer: close the connection, as Kafka does.
///
/// The message names the field, its position in the memory that was parsed, and what was wrong.
public final class MalformedRequestException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long position;

    public MalformedRequestException(String field, long position, String what) {
        super(field + " at position " + position + ": " + what);
        this.position = position;
    }

    /// Where parsing stopped, in the memory that was parsed.
    public long position() {
        return position;
    }
}
