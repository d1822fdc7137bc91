package dev.sluice.broker.protocol;

/// The bytes received so far end in the middle of what is being read. Never leaves this package: see
/// [WireReader#receivedUpTo].
///
/// An exception, because a read deep in a head has nobody beside it to ask whether to go on; without a stack
/// trace and made once, because it comes with every frame that arrives in pieces.
final class Starved extends RuntimeException {
    @SuppressWarnings("StaticAssignmentOfThrowable") // it has no stack trace that could mislead
    static final Starved INSTANCE = new Starved();

    private static final long serialVersionUID = 1;

    private Starved() {
        super("more bytes needed", null, false, false);
    }
}
