package dev.sluice.broker.api;

import dev.sluice.io.linux.ErrnoException;
import java.net.InetSocketAddress;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBrokerCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// DescribeCluster: this one node.
final class DescribeClusterHandler extends MessageHandler<DescribeClusterRequestData> {
    private static final byte BROKERS = 1;

    DescribeClusterHandler(Services services) {
        super(ApiKeys.DESCRIBE_CLUSTER, services);
    }

    @Override
    void handle(DescribeClusterRequestData body, Exchange exchange) {
        if (body.endpointType() != BROKERS) {
            exchange.answer(new DescribeClusterResponseData()
                    .setErrorCode(Errors.MISMATCHED_ENDPOINT_TYPE.code())
                    .setErrorMessage("This is a broker; it can't tell of controllers"));
            return;
        }
        try {
            InetSocketAddress address = exchange.request()
                    .listener()
                    .advertisedTo(exchange.request().socket());
            DescribeClusterBrokerCollection brokers = new DescribeClusterBrokerCollection();
            brokers.add(new DescribeClusterBroker()
                    .setBrokerId(services.config().nodeId())
                    .setHost(address.getHostString())
                    .setPort(address.getPort()));
            exchange.answer(new DescribeClusterResponseData()
                    .setEndpointType(BROKERS)
                    .setClusterId(services.clusterId())
                    .setControllerId(services.config().nodeId())
                    .setBrokers(brokers));
        } catch (ErrnoException e) {
            exchange.request().close(e.getMessage());
        }
    }
}
