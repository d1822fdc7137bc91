package dev.sluice.io.linux;

/// Who connected, or made the pair or the listener, at the other end of a UNIX socket (SO_PEERCRED): what the kernel
/// noted then, not what the peer says.
///
/// @param pid 0 when it is in a process namespace that we don't see
/// @param uid effective user
/// @param gid effective group
public record PeerCredentials(int pid, int uid, int gid) {
    /// `struct ucred { pid_t pid; uid_t uid; gid_t gid; }` of linux/socket.h.
    static final int BYTES = 12;
}
