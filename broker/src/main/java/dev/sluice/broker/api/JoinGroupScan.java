package dev.sluice.broker.api;

import java.nio.ByteBuffer;

/// The keys of a JoinGroup request: the names of the member's protocols.
final class JoinGroupScan extends BodyScan {
    private static final short FIRST_WITH_REBALANCE_TIMEOUT = 1;
    private static final short FIRST_WITH_INSTANCE_ID = 5;
    private static final short FIRST_FLEXIBLE_VERSION = 6;

    private final short version;
    private final Collisions.Hashes protocols = new Collisions.Hashes();

    JoinGroupScan(ByteBuffer body, short version) {
        super(body, version >= FIRST_FLEXIBLE_VERSION);
        this.version = version;
    }

    @Override
    void scan() {
        reader.readString("group id", flexible);
        reader.skip("timeouts", version >= FIRST_WITH_REBALANCE_TIMEOUT ? 2 * Integer.BYTES : Integer.BYTES);
        reader.readString("member id", flexible);
        if (version >= FIRST_WITH_INSTANCE_ID) {
            reader.readNullableString("group instance id", flexible);
        }
        reader.readString("protocol type", flexible);
        for (int left = reader.readCount("protocols", flexible, 1); left > 0; left--) {
            protocols.add(nameHash("protocol"));
            reader.skip("protocol metadata", reader.readCount("protocol metadata", flexible, 1));
            skipTags();
        }
        require(protocols.areCheapToRead());
    }
}
