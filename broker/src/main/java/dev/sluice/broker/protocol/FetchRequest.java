package dev.sluice.broker.protocol;

/// Reads a Fetch request, version 4 to 18, into a [FetchPlan].
///
/// What only a follower sends about a partition (its directory id and high watermark, tagged fields of versions
/// 17 and 18) is checked and dropped.
public final class FetchRequest {
    public static final int OLDEST_VERSION = 4;
    public static final int NEWEST_VERSION = 18;

    private FetchRequest() {}

    static boolean isFlexible(int version) {
        return version >= 12;
    }

    static boolean isByTopicId(int version) {
        return version >= 13;
    }

    /// Reads all of it: the request's memory is not needed afterwards. Bytes behind the end are ignored.
    ///
    /// @param reader at the body, its limit the end of the frame
    /// @param names  where topic names become strings
    /// @param plan   overwritten; what it holds is undefined after an exception
    /// @throws MalformedRequestException when the bytes are no Fetch request of this version
    public static void parse(WireReader reader, int version, NameCache names, FetchPlan plan) {
        if (version < OLDEST_VERSION || version > NEWEST_VERSION) {
            throw new MalformedRequestException("apiVersion", reader.position(), "Fetch has no version " + version);
        }
        plan.clear();
        plan.version = version;
        if (version <= 14) {
            plan.replicaId = reader.readInt32("replicaId");
        }
        plan.maxWaitMs = reader.readInt32("maxWaitMs");
        plan.minBytes = reader.readInt32("minBytes");
        plan.maxBytes = reader.readInt32("maxBytes");
        plan.isolationLevel = reader.readInt8("isolationLevel");
        if (version >= 7) {
            plan.sessionId = reader.readInt32("sessionId");
            plan.sessionEpoch = reader.readInt32("sessionEpoch");
        }
        parseTopics(reader, version, names, plan);
        if (version >= 7) {
            parseForgottenTopics(reader, version, names, plan);
        }
        if (version >= 11) {
            plan.rackId = reader.readString("rackId", isFlexible(version), names);
        }
        if (isFlexible(version)) {
            parseRequestTags(reader, version, names, plan);
        }
    }

    private static void parseTopics(WireReader reader, int version, NameCache names, FetchPlan plan) {
        boolean flexible = isFlexible(version);
        int partitionBytes = smallestPartitionBytes(version);
        for (int topics = reader.readCount("topics", flexible, smallestTopicBytes(version)); topics > 0; topics--) {
            parseTopic(reader, version, names, plan.topics);
            int partitions = reader.readCount("partitions", flexible, partitionBytes);
            plan.makeRoom(partitions);
            for (; partitions > 0; partitions--) {
                parsePartition(reader, version, plan);
            }
            plan.topics.close(plan.partitionCount);
            if (flexible) {
                reader.skipTags("topic tags");
            }
        }
    }

    private static void parseTopic(WireReader reader, int version, NameCache names, TopicTable topics) {
        if (isByTopicId(version)) {
            long high = reader.readInt64("topicId");
            topics.add("", high, reader.readInt64("topicId"));
        } else {
            topics.add(reader.readTopicName(isFlexible(version), names), 0, 0);
        }
    }

    private static void parsePartition(WireReader reader, int version, FetchPlan plan) {
        int index = reader.readInt32("partition index");
        int currentLeaderEpoch = version >= 9 ? reader.readInt32("currentLeaderEpoch") : -1;
        long fetchOffset = reader.readInt64("fetchOffset");
        int lastFetchedEpoch = version >= 12 ? reader.readInt32("lastFetchedEpoch") : -1;
        long logStartOffset = version >= 5 ? reader.readInt64("logStartOffset") : -1;
        int maxBytes = reader.readInt32("partitionMaxBytes");
        plan.addPartition(index, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, logStartOffset, maxBytes);
        if (isFlexible(version)) {
            skipPartitionTags(reader, version);
        }
    }

    private static void skipPartitionTags(WireReader reader, int version) {
        for (int left = reader.readTagCount("partition tags"); left > 0; left--) {
            int tag = reader.readUnsignedVarint("partition tags");
            long end = tagEnd(reader, "partition tags");
            switch (tag) {
                case 0 -> {
                    checkTag("replicaDirectoryId", version, 17, reader);
                    reader.skip("replicaDirectoryId", Wire.UUID_BYTES);
                    checkTagEnd("replicaDirectoryId", end, reader);
                }
                case 1 -> {
                    checkTag("highWatermark", version, 18, reader);
                    reader.skip("highWatermark", Long.BYTES);
                    checkTagEnd("highWatermark", end, reader);
                }
                default -> reader.skip("partition tags", end - reader.position());
            }
        }
    }

    private static void parseForgottenTopics(WireReader reader, int version, NameCache names, FetchPlan plan) {
        boolean flexible = isFlexible(version);
        int topics = reader.readCount("forgotten topics", flexible, smallestTopicBytes(version));
        for (; topics > 0; topics--) {
            parseTopic(reader, version, names, plan.forgottenTopics);
            int partitions = reader.readCount("forgotten partitions", flexible, Integer.BYTES);
            plan.makeForgottenRoom(partitions);
            for (; partitions > 0; partitions--) {
                plan.addForgottenPartition(reader.readInt32("forgotten partition"));
            }
            plan.forgottenTopics.close(plan.forgottenPartitionCount);
            if (flexible) {
                reader.skipTags("forgotten topic tags");
            }
        }
    }

    private static void parseRequestTags(WireReader reader, int version, NameCache names, FetchPlan plan) {
        for (int left = reader.readTagCount("request tags"); left > 0; left--) {
            int tag = reader.readUnsignedVarint("request tags");
            long end = tagEnd(reader, "request tags");
            switch (tag) {
                case 0 -> {
                    int length = reader.readNullableString("clusterId", true);
                    plan.clusterId =
                            length < 0 ? null : names.name(reader.memory(), reader.position() - length, length);
                    checkTagEnd("clusterId", end, reader);
                }
                case 1 -> {
                    checkTag("replicaState", version, 15, reader);
                    plan.replicaId = reader.readInt32("replicaState");
                    plan.replicaEpoch = reader.readInt64("replicaState");
                    reader.skipTags("replicaState");
                    checkTagEnd("replicaState", end, reader);
                }
                default -> reader.skip("request tags", end - reader.position());
            }
        }
    }

    /// Reads a tagged field's size.
    ///
    /// @return where the field ends; nobody has checked that this is within the request
    private static long tagEnd(WireReader reader, String field) {
        int size = reader.readUnsignedVarint(field);
        return reader.position() + size;
    }

    private static void checkTag(String field, int version, int firstVersion, WireReader reader) {
        if (version < firstVersion) {
            throw new MalformedRequestException(field, reader.position(), "no tagged field of version " + version);
        }
    }

    /// Kafka doesn't look at the size of a field that it knows. We do: whoever reads by the sizes must see the
    /// request that we see.
    private static void checkTagEnd(String field, long end, WireReader reader) {
        if (reader.position() != end) {
            throw new MalformedRequestException(field, reader.position(), "its tag's size says that it ends at " + end);
        }
    }

    /// An empty name or an id, no partition, no tag.
    private static int smallestTopicBytes(int version) {
        if (isByTopicId(version)) {
            return Wire.UUID_BYTES + 2;
        }
        return isFlexible(version) ? 3 : 6;
    }

    /// index, fetchOffset and maxBytes; then what the versions added.
    private static int smallestPartitionBytes(int version) {
        return 16 + (version >= 5 ? 8 : 0) + (version >= 9 ? 4 : 0) + (version >= 12 ? 4 + 1 : 0);
    }
}
