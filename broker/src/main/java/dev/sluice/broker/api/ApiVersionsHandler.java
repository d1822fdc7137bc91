package dev.sluice.broker.api;

import dev.sluice.broker.net.Request;
import dev.sluice.broker.protocol.RequestHead;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.message.ApiVersionsResponseData.FinalizedFeatureKey;
import org.apache.kafka.common.message.ApiVersionsResponseData.FinalizedFeatureKeyCollection;
import org.apache.kafka.common.message.ApiVersionsResponseData.SupportedFeatureKey;
import org.apache.kafka.common.message.ApiVersionsResponseData.SupportedFeatureKeyCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// ApiVersions: what this broker offers, computed from the list of handlers.
final class ApiVersionsHandler extends MessageHandler<ApiVersionsRequestData> {
    /// As in Kafka's ApiVersionsRequest: names and versions of clients are words.
    private static final Pattern CLIENT_SOFTWARE = Pattern.compile("[a-zA-Z0-9](?:[a-zA-Z0-9\\-.]*[a-zA-Z0-9])?");

    /// Clients choose what they do by these: at level 1 there are groups of the consumer protocol (KIP-848). It
    /// can't be changed here, so it is the least and the largest level.
    private static final String GROUP_VERSION = "group.version";

    private static final short GROUP_LEVEL = 1;

    private final List<ApiHandler> offered;

    ApiVersionsHandler(Services services, List<ApiHandler> offered) {
        super(ApiKeys.API_VERSIONS, services);
        this.offered = offered;
    }

    @Override
    void handle(ApiVersionsRequestData body, Exchange exchange) {
        boolean valid = exchange.version() < 3
                || (CLIENT_SOFTWARE.matcher(body.clientSoftwareName()).matches()
                        && CLIENT_SOFTWARE.matcher(body.clientSoftwareVersion()).matches());
        exchange.answer(valid ? answer(Errors.NONE) : answer(Errors.INVALID_REQUEST));
    }

    /// A version from the future: the answer is in version 0, which every client can read (KIP-511).
    void refuseVersion(RequestHead head, Request request) {
        request.answer(key(), (short) 0, head.correlationId(), answer(Errors.UNSUPPORTED_VERSION));
    }

    private ApiVersionsResponseData answer(Errors error) {
        ApiVersionCollection versions = new ApiVersionCollection();
        versions.add(version(this));
        for (ApiHandler handler : offered) {
            versions.add(version(handler));
        }
        return new ApiVersionsResponseData()
                .setErrorCode(error.code())
                .setApiKeys(versions)
                .setSupportedFeatures(supported())
                .setFinalizedFeatures(finalized())
                .setFinalizedFeaturesEpoch(0);
    }

    private static SupportedFeatureKeyCollection supported() {
        SupportedFeatureKeyCollection features = new SupportedFeatureKeyCollection(1);
        features.add(new SupportedFeatureKey()
                .setName(GROUP_VERSION)
                .setMinVersion(GROUP_LEVEL)
                .setMaxVersion(GROUP_LEVEL));
        return features;
    }

    private static FinalizedFeatureKeyCollection finalized() {
        FinalizedFeatureKeyCollection features = new FinalizedFeatureKeyCollection(1);
        features.add(new FinalizedFeatureKey()
                .setName(GROUP_VERSION)
                .setMinVersionLevel(GROUP_LEVEL)
                .setMaxVersionLevel(GROUP_LEVEL));
        return features;
    }

    private static ApiVersion version(ApiHandler handler) {
        // librdkafka switches compression off for a broker that does not offer Produce 0, though it never uses it
        // (KAFKA-18659). Kafka says 0 too, and refuses 0 to 2 all the same.
        short oldest = handler.key() == ApiKeys.PRODUCE
                ? ApiKeys.PRODUCE_API_VERSIONS_RESPONSE_MIN_VERSION
                : handler.oldestVersion();
        return new ApiVersion()
                .setApiKey(handler.key().id)
                .setMinVersion(oldest)
                .setMaxVersion(handler.newestVersion());
    }
}
