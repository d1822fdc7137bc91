package dev.sluice.io.linux;

/// The answer of a call that makes a descriptor.
public sealed interface Opened {
    /// The descriptor; the caller closes it.
    record Ok(Descriptor descriptor) implements Opened {}

    /// The failure.
    ///
    /// @param errno the positive error number
    record Failed(Call call, int errno, String subject) implements Opened {}

    /// The descriptor, or the failure thrown as an [ErrnoException].
    default Descriptor orThrow() throws ErrnoException {
        return switch (this) {
            case Ok ok -> ok.descriptor();
            case Failed failed -> throw new ErrnoException(failed.call(), failed.errno(), failed.subject());
        };
    }

    /// The positive error number, or 0 when the call succeeded.
    default int errno() {
        return switch (this) {
            case Ok _ -> 0;
            case Failed failed -> failed.errno();
        };
    }
}
