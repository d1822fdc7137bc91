package dev.sluice.log;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Ids as Kafka writes them into files: the 16 bytes in URL-safe Base64 without padding, 22 characters.
final class KafkaUuid {
    private KafkaUuid() {}

    static String format(UUID id) {
        byte[] bytes = ByteBuffer.allocate(16)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /// The id, or null when `text` is none.
    static @Nullable UUID parse(String text) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(text);
            if (bytes.length != 16) {
                return null;
            }
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            return new UUID(buffer.getLong(), buffer.getLong());
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /// A new id that Kafka's tools take: none of the reserved ones below 100, and not begun by a dash, which
    /// would look like an option on a command line.
    static UUID random(Supplier<UUID> ids) {
        UUID id;
        do {
            id = ids.get();
        } while ((id.getMostSignificantBits() == 0 && id.getLeastSignificantBits() >>> 7 == 0)
                || format(id).startsWith("-"));
        return id;
    }
}
