package dev.sluice.comparenetty;

import dev.sluice.cli.compare.Direction;
import dev.sluice.cli.compare.MoreWays;
import dev.sluice.cli.compare.Way;
import java.util.Arrays;
import java.util.List;

/// File regions on each of Netty's native transports: its way to send a file without copying it.
public final class NettyWays implements MoreWays {
    @Override
    public List<Way> of(Direction direction) {
        return direction == Direction.FILE_TO_SOCKET
                ? Arrays.stream(FileRegionWay.Transport.values())
                        .<Way>map(FileRegionWay::new)
                        .toList()
                : List.of();
    }
}
