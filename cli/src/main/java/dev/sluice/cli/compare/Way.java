package dev.sluice.cli.compare;

import java.io.IOException;

/// One way to move bytes. Stateless; each move opens its own ends and closes them.
public interface Way {
    /// Whose way it is.
    enum Family {
        SLUICE("sluice"),
        JDK("JDK"),
        NETTY("Netty");

        private final String label;

        Family(String label) {
            this.label = label;
        }

        public String label() {
            return label;
        }
    }

    Direction direction();

    Family family();

    String name();

    /// Whether the bytes asked for by one call make a difference.
    boolean hasPieces();

    /// Whether only a file as a whole can be moved.
    default boolean movesWholeFiles() {
        return false;
    }

    /// Whether it makes a difference what of the file is in the page cache.
    default boolean usesPageCache() {
        return true;
    }

    /// Whether it is one of the few that are measured with further sizes of pieces, for the picture of them.
    default boolean isSwept() {
        return false;
    }

    /// Whether a socket is to be fed with packets whose pages can be mapped.
    default boolean wantsWholePages() {
        return false;
    }

    /// How many bytes arrive when so many are moved: more, where they are changed on the way.
    default long arrivingBytes(long lengthBytes) {
        return lengthBytes;
    }

    /// Moves the job's bytes. Calls [Meter#start] when the ends are open and [Meter#stop] when the last byte was
    /// handed over.
    ///
    /// @throws Unavailable when this machine has no such way between these ends
    Cost move(Job job, Meter meter) throws IOException;
}
