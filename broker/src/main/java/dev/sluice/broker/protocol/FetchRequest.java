package dev.sluice.broker.protocol;

/// Reads a Fetch request, version 4 to 18, into a [FetchPlan].
public final class FetchRequest {
    public static final int OLDEST_VERSION = 4;
    public static final int NEWEST_VERSION = 18;

    private FetchRequest() {}

    static boolean isFlexible(int version) {
        return version >= 12;
    }

    /// Reads all of it: the request's memory is not needed afterwards.
    ///
    /// @param reader at the body, its limit the end of the frame
    /// @param names  where topic names become strings
    /// @param plan   overwritten; what it holds is undefined after an exception
    /// @throws MalformedRequestException when the bytes are no Fetch request of this version
    public static void parse(WireReader reader, int version, NameCache names, FetchPlan plan) {
        throw new UnsupportedOperationException();
    }
}
