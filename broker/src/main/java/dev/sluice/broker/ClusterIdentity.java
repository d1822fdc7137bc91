package dev.sluice.broker;

import dev.sluice.log.Identity;
import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Properties;
import java.util.UUID;

/// The cluster's id: the one that the data folder tells, or a new one for a new folder.
final class ClusterIdentity {
    private ClusterIdentity() {}

    static Identity of(Path dataDir, int nodeId) throws IOException {
        Path file = dataDir.resolve("meta.properties");
        String clusterId = null;
        if (Files.isReadable(file)) {
            Properties properties = new Properties();
            try (Reader reader = Files.newBufferedReader(file)) {
                properties.load(reader);
            }
            clusterId = properties.getProperty("cluster.id");
        }
        return new Identity(clusterId == null || clusterId.isBlank() ? fresh() : clusterId.strip(), nodeId);
    }

    /// 22 characters, as Kafka writes its ids: a random UUID in URL-safe Base64.
    private static String fresh() {
        UUID random = UUID.randomUUID();
        ByteBuffer bytes = ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(random.getMostSignificantBits())
                .putLong(random.getLeastSignificantBits());
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.array());
    }
}
