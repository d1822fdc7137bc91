package dev.sluice.io.transfer;

/// What a [Rig]'s end is made of.
enum EndType {
    FILE(Endpoint.Kind.FILE),
    TCP(Endpoint.Kind.SOCKET),
    UNIX(Endpoint.Kind.SOCKET),
    PIPE(Endpoint.Kind.PIPE),
    MEMORY(Endpoint.Kind.MEMORY),
    /// Memory in more pieces than one call takes, some of them on the heap, some empty.
    PIECES(Endpoint.Kind.MEMORY);

    final Endpoint.Kind kind;

    EndType(Endpoint.Kind kind) {
        this.kind = kind;
    }
}
