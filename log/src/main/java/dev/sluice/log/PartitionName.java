package dev.sluice.log;

import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A partition's name, and how folders are named after it.
///
/// Only names that Kafka allows can be made, so that no topic's name leads out of the data folder.
record PartitionName(String topic, int partition) implements Comparable<PartitionName> {
    private static final int FILE_NAME_LIMIT = 255;
    private static final String DELETED = "-delete";
    static final Pattern TOPIC = Pattern.compile("[a-zA-Z0-9._-]{1,249}");
    private static final Pattern FOLDER = Pattern.compile("(.+)-(0|[1-9][0-9]{0,9})");
    private static final Pattern DELETED_FOLDER = Pattern.compile("\\S+-\\S+\\.\\S+" + DELETED);

    /// @throws IllegalArgumentException for a name that Kafka does not allow
    PartitionName {
        if (!TOPIC.matcher(topic).matches() || topic.equals(".") || topic.equals("..")) {
            throw new IllegalArgumentException(
                    "'" + topic + "' is no topic name: 1 to 249 of a-z A-Z 0-9 . _ -, and neither . nor ..");
        }
        if (partition < 0) {
            throw new IllegalArgumentException("Partition " + partition + " of " + topic + " is negative");
        }
    }

    /// The partition whose folder is called so, or empty when none is.
    static Optional<PartitionName> ofFolder(String folder) {
        Matcher matcher = FOLDER.matcher(folder);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new PartitionName(matcher.group(1), Integer.parseInt(matcher.group(2))));
        } catch (IllegalArgumentException e) { // a number too large, or characters that no topic has
            return Optional.empty();
        }
    }

    static boolean isDeletedFolder(String folder) {
        return DELETED_FOLDER.matcher(folder).matches();
    }

    String folder() {
        return topic + "-" + partition;
    }

    /// What the folder is renamed to while its files are being removed, cut to what a file name may be long.
    String deletedFolder(UUID id) {
        String suffix = "-" + partition + "." + id.toString().replace("-", "") + DELETED;
        return topic.substring(0, Math.min(topic.length(), FILE_NAME_LIMIT - suffix.length())) + suffix;
    }

    @Override
    public int compareTo(PartitionName other) {
        int byTopic = topic.compareTo(other.topic);
        return byTopic != 0 ? byTopic : Integer.compare(partition, other.partition);
    }

    @Override
    public String toString() {
        return folder();
    }
}
