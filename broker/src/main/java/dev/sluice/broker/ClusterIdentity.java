package dev.sluice.broker;

import dev.sluice.log.Identity;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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
            try {
                properties.load(new StringReader(new String(Files.readAllBytes(file), StandardCharsets.UTF_8)));
            } catch (IllegalArgumentException e) {
                // No properties file. The folder looks at it when it is opened, and says what to do.
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
