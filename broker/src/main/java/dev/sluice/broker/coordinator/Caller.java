package dev.sluice.broker.coordinator;

import java.net.InetAddress;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;

/// Who asks, and how.
///
/// @param clientId      empty when the client sent none
/// @param clientAddress shown by `DescribeGroups` as the member's host
public record Caller(
        ApiKeys key,
        int requestVersion,
        int correlationId,
        String clientId,
        InetAddress clientAddress,
        String listenerName)
        implements AuthorizableRequestContext {
    /// The broker itself.
    static final Caller NOBODY = new Caller(
            ApiKeys.LIST_GROUPS, ApiKeys.LIST_GROUPS.latestVersion(), 0, "", InetAddress.getLoopbackAddress(), "");

    @Override
    public int requestType() {
        return key.id;
    }

    @Override
    public SecurityProtocol securityProtocol() {
        return SecurityProtocol.PLAINTEXT;
    }

    @Override
    public KafkaPrincipal principal() {
        return KafkaPrincipal.ANONYMOUS;
    }
}
