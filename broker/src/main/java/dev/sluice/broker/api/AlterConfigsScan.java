package dev.sluice.broker.api;

import java.nio.ByteBuffer;

/// The keys of AlterConfigs and IncrementalAlterConfigs requests: resources, and of each the configs.
final class AlterConfigsScan extends BodyScan {
    private final boolean incremental;
    private final Collisions.Hashes resources = new Collisions.Hashes();
    private final Collisions.Hashes configs = new Collisions.Hashes();

    AlterConfigsScan(ByteBuffer body, boolean flexible, boolean incremental) {
        super(body, flexible);
        this.incremental = incremental;
    }

    @Override
    void scan() {
        for (int left = reader.readCount("resources", flexible, 1); left > 0 && isCheapSoFar(); left--) {
            byte type = reader.readInt8("resource type");
            resources.add(hash(type, nameHash("resource name")));
            configs();
            skipTags();
        }
        require(resources.areCheapToRead());
    }

    private void configs() {
        configs.clear();
        for (int left = reader.readCount("configs", flexible, 1); left > 0; left--) {
            int name = nameHash("config name");
            // The generated key of an incremental change is the name, then the operation.
            configs.add(incremental ? hash(name, reader.readInt8("operation")) : name);
            reader.readNullableString("config value", flexible);
            skipTags();
        }
        require(configs.areCheapToRead());
    }
}
