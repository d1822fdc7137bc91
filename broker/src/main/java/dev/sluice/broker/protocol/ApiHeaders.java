package dev.sluice.broker.protocol;

import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiKeys;

/// Which version of the headers goes with a version of a request.
public final class ApiHeaders {
    public static final short PRODUCE = 0;
    public static final short FETCH = 1;

    private ApiHeaders() {}

    /// 1, or 2 with tagged fields. (0, without a client id, went with a request that Kafka 4 removed.)
    ///
    /// @return −1 when nobody knows the key, or no version of it is left
    public static int requestHeaderVersion(short apiKey, short apiVersion) {
        return switch (apiKey) {
            case PRODUCE -> ProduceRequest.isFlexible(apiVersion) ? 2 : 1;
            case FETCH -> FetchRequest.isFlexible(apiVersion) ? 2 : 1;
            default -> isKnown(apiKey) ? ApiKeys.forId(apiKey).requestHeaderVersion(apiVersion) : -1;
        };
    }

    /// 0, or 1 with tagged fields; for ApiVersions always 0: its asker doesn't know yet what this broker speaks.
    ///
    /// @param apiKey one that [#requestHeaderVersion] knows
    public static int responseHeaderVersion(short apiKey, short apiVersion) {
        return switch (apiKey) {
            case PRODUCE -> ProduceRequest.isFlexible(apiVersion) ? 1 : 0;
            case FETCH -> FetchRequest.isFlexible(apiVersion) ? 1 : 0;
            default -> ApiMessageType.fromApiKey(apiKey).responseHeaderVersion(apiVersion);
        };
    }

    private static boolean isKnown(short apiKey) {
        return ApiKeys.hasId(apiKey) && ApiKeys.forId(apiKey).hasValidVersion();
    }
}
