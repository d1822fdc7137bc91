package dev.sluice.broker.protocol;

import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/// The header before every request.
///
/// ```
/// int16 apiKey | int16 apiVersion | int32 correlationId | int16 n | n bytes clientId | tagged fields (version 2)
/// ```
///
/// n < 0 is a null client id. It is never compact, so that a broker can read the header of an ApiVersions request
/// from its future. Reused; owned by one thread. The client id stays in the request's memory and is gone with it.
public final class RequestHead {
    private WireReader reader = new WireReader();
    private short apiKey;
    private short apiVersion;
    private int correlationId;
    private int headerVersion;
    private long clientIdPosition;
    private int clientIdLengthBytes;

    /// Reads the header; the reader then stands at the request's body.
    ///
    /// An API version that nobody knows is no error here: to ApiVersions it is an ordinary question, and for the
    /// others the caller has the table of what is served.
    ///
    /// @throws MalformedRequestException when the bytes are no header, or the API key is unknown
    public void parse(WireReader reader) {
        this.reader = reader;
        long start = reader.position();
        apiKey = reader.readInt16("apiKey");
        apiVersion = reader.readInt16("apiVersion");
        headerVersion = ApiHeaders.requestHeaderVersion(apiKey, apiVersion);
        if (headerVersion < 0) {
            throw new MalformedRequestException("apiKey", start, "unknown API " + apiKey + ", version " + apiVersion);
        }
        correlationId = reader.readInt32("correlationId");
        clientIdLengthBytes = reader.readNullableString("clientId", false);
        clientIdPosition = reader.position() - Math.max(clientIdLengthBytes, 0);
        if (headerVersion >= 2) {
            reader.skipTags("header tags");
        }
    }

    /// Reads the header of a request that is still being received.
    ///
    /// @param reader      its limit the end that the frame declares
    /// @param receivedEnd first position that was not received yet
    /// @return false when it isn't there as a whole; the reader then stands where it stood
    /// @throws MalformedRequestException as [#parse(WireReader)]
    public boolean parse(WireReader reader, long receivedEnd) {
        long start = reader.position();
        reader.receivedUpTo(receivedEnd);
        try {
            parse(reader);
            return true;
        } catch (Starved more) {
            reader.rewind(start);
            return false;
        } finally {
            reader.receivedUpTo(reader.limit());
        }
    }

    public short apiKey() {
        return apiKey;
    }

    public short apiVersion() {
        return apiVersion;
    }

    public int correlationId() {
        return correlationId;
    }

    /// 1 or 2.
    public int headerVersion() {
        return headerVersion;
    }

    /// −1 when the client sent none.
    public int clientIdLengthBytes() {
        return clientIdLengthBytes;
    }

    /// The client id; none is the empty one, as in Kafka.
    public String clientId() {
        return clientIdLengthBytes <= 0
                ? ""
                : new String(
                        reader.memory()
                                .asSlice(clientIdPosition, clientIdLengthBytes)
                                .toArray(ValueLayout.JAVA_BYTE),
                        StandardCharsets.UTF_8);
    }

    /// The same without an allocation, for one that was seen before.
    public String clientId(NameCache names) {
        return names.name(reader.memory(), clientIdPosition, clientIdLengthBytes);
    }
}
