package dev.sluice.broker.catalogue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UTFDataFormatException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

/// One change of the catalogue, as it stands in the catalogue's log: the value of a record there.
///
/// ```
/// u8 type, u8 version 0, then by type (strings as DataOutput.writeUTF has them, ids two i64):
/// 1 topic created          id, name, i32 partitions, u16 number of configs, each: name, value
/// 2 topic deleted          id
/// 3 producer ids reserved  i64 first id that is not reserved
/// 4 topic changed          as 1: the same topic, with more partitions or other configs
/// 5 broker configured      its number in digits, or nothing for all brokers; u16 number of configs, each: name, value
/// ```
public sealed interface CatalogueRecord {
    /// @param configs what was set for this topic, by Kafka's names
    record TopicCreated(UUID id, String name, int partitions, Map<String, String> configs) implements CatalogueRecord {}

    /// What holds for a topic from here on, all of it.
    record TopicChanged(TopicCreated now) implements CatalogueRecord {}

    record TopicDeleted(UUID id) implements CatalogueRecord {}

    /// Producer ids below `end` may have been given out and never will be again.
    record ProducerIdsReserved(long end) implements CatalogueRecord {}

    /// What clients have set for a broker from here on, all of it.
    ///
    /// @param broker its number in digits, or empty for all brokers
    record BrokerConfigured(String broker, Map<String, String> configs) implements CatalogueRecord {}

    int TOPIC_CREATED = 1;
    int TOPIC_DELETED = 2;
    int PRODUCER_IDS_RESERVED = 3;
    int TOPIC_CHANGED = 4;
    int BROKER_CONFIGURED = 5;
    int VERSION = 0;

    default byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            switch (this) {
                case TopicCreated created -> {
                    start(out, TOPIC_CREATED);
                    topic(out, created);
                }
                case TopicChanged changed -> {
                    start(out, TOPIC_CHANGED);
                    topic(out, changed.now());
                }
                case TopicDeleted deleted -> {
                    start(out, TOPIC_DELETED);
                    id(out, deleted.id());
                }
                case ProducerIdsReserved reserved -> {
                    start(out, PRODUCER_IDS_RESERVED);
                    out.writeLong(reserved.end());
                }
                case BrokerConfigured configured -> {
                    start(out, BROKER_CONFIGURED);
                    out.writeUTF(configured.broker());
                    configs(out, configured.configs());
                }
            }
        } catch (IOException e) {
            // The only one that memory makes: writeUTF takes at most 65,535 bytes.
            throw new IllegalArgumentException("A name or setting is too long to be stored", e);
        }
        return bytes.toByteArray();
    }

    private static void start(DataOutputStream out, int type) throws IOException {
        out.writeByte(type);
        out.writeByte(VERSION);
    }

    private static void topic(DataOutputStream out, TopicCreated topic) throws IOException {
        id(out, topic.id());
        out.writeUTF(topic.name());
        out.writeInt(topic.partitions());
        configs(out, topic.configs());
    }

    private static void configs(DataOutputStream out, Map<String, String> configs) throws IOException {
        out.writeShort(configs.size());
        for (Map.Entry<String, String> config : configs.entrySet()) {
            out.writeUTF(config.getKey());
            out.writeUTF(config.getValue());
        }
    }

    private static void id(DataOutputStream out, UUID id) throws IOException {
        out.writeLong(id.getMostSignificantBits());
        out.writeLong(id.getLeastSignificantBits());
    }

    /// @throws IOException when the bytes are not a record of a version that this program knows
    static CatalogueRecord decode(byte[] bytes) throws IOException {
        try {
            return decodeAny(bytes);
        } catch (EOFException | UTFDataFormatException e) {
            throw new IOException(
                    "The catalogue has a record of " + bytes.length
                            + " bytes that ends too early: restore the data folder from a backup",
                    e);
        }
    }

    private static CatalogueRecord decodeAny(byte[] bytes) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        int type = in.readUnsignedByte();
        int version = in.readUnsignedByte();
        if (version != VERSION) {
            throw new IOException("The catalogue was written by a newer Sluice (record type " + type + ", version "
                    + version + "): start that version, or a newer one");
        }
        return switch (type) {
            case TOPIC_CREATED -> topic(in);
            case TOPIC_CHANGED -> new TopicChanged(topic(in));
            case TOPIC_DELETED -> new TopicDeleted(new UUID(in.readLong(), in.readLong()));
            case PRODUCER_IDS_RESERVED -> new ProducerIdsReserved(in.readLong());
            case BROKER_CONFIGURED -> new BrokerConfigured(in.readUTF(), configs(in));
            default ->
                throw new IOException("The catalogue has a record of the unknown type " + type
                        + ": it was written by a newer Sluice; start that version");
        };
    }

    private static TopicCreated topic(DataInputStream in) throws IOException {
        UUID id = new UUID(in.readLong(), in.readLong());
        String name = in.readUTF();
        int partitions = in.readInt();
        return new TopicCreated(id, name, partitions, configs(in));
    }

    private static Map<String, String> configs(DataInputStream in) throws IOException {
        Map<String, String> configs = new LinkedHashMap<>();
        for (int left = in.readUnsignedShort(); left > 0; left--) {
            configs.put(in.readUTF(), in.readUTF());
        }
        return configs;
    }
}
