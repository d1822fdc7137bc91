package dev.sluice.io.proxy;

/// What became of one connection of a [Proxy].
///
/// @param client        the client's address
/// @param end           why it is over
/// @param detail        what the kernel said, for a failure; else empty
/// @param upBytes       bytes from the client to the upstream
/// @param downBytes     bytes from the upstream to the client
/// @param lostBytes     bytes taken from one side that the other did not take any more
/// @param splices       system calls that moved them, those that found nothing to move included
/// @param durationNs    from being accepted to being closed
public record ConnectionReport(
        String client,
        End end,
        String detail,
        long upBytes,
        long downBytes,
        long lostBytes,
        long splices,
        long durationNs) {

    /// Why a connection is over.
    public enum End {
        /// Both sides have closed, and everything was delivered.
        FINISHED,
        /// The client has reset it: what it had not read is lost.
        CLIENT_RESET,
        /// The upstream has, likewise.
        UPSTREAM_RESET,
        /// The upstream didn't accept, in time or at all.
        UPSTREAM_UNREACHABLE,
        /// Nothing moved for [ProxyConfig#idleTimeoutNs].
        IDLE,
        /// The proxy was closed.
        PROXY_CLOSED,
        /// The proxy itself couldn't go on: out of descriptors, a refused call.
        FAILED
    }
}
