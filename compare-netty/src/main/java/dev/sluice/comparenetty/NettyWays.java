package dev.sluice.comparenetty;

import dev.sluice.cli.compare.Direction;
import dev.sluice.cli.compare.MoreWays;
import dev.sluice.cli.compare.Way;
import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;
import java.util.Arrays;
import java.util.List;

/// File regions on each of Netty's native transports: its way to send a file without copying it.
public final class NettyWays implements MoreWays {
    /// Netty would log what it finds out about the JVM through whatever logging it meets; the JDK's keeps that to
    /// itself.
    public NettyWays() {
        InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    }

    @Override
    public List<Way> of(Direction direction) {
        return direction == Direction.FILE_TO_SOCKET
                ? Arrays.stream(FileRegionWay.Transport.values())
                        .<Way>map(FileRegionWay::new)
                        .toList()
                : List.of();
    }
}
