package dev.sluice.io.transfer;

/// What a [Rig]'s end is made of.
enum EndType {
    FILE(Endpoint.Kind.FILE),
    TCP(Endpoint.Kind.SOCKET),
    UNIX(Endpoint.Kind.SOCKET),
    PIPE(Endpoint.Kind.PIPE),
    MEMORY(Endpoint.Kind.MEMORY);

    final Endpoint.Kind kind;

    EndType(Endpoint.Kind kind) {
        this.kind = kind;
    }
}
