package dev.sluice.broker.catalogue;

import java.util.Optional;
import java.util.regex.Pattern;

/// Which names a topic may have: Kafka's rule, which also keeps a name from leading out of the data folder.
public final class TopicNames {
    /// The folder of the catalogue's own log; clients neither see nor make a topic of this name.
    public static final String CATALOGUE = "__sluice_catalogue";

    /// Where groups and committed offsets are kept.
    public static final String CONSUMER_OFFSETS = "__consumer_offsets";

    private static final int LONGEST = 249;
    private static final Pattern LEGAL = Pattern.compile("[a-zA-Z0-9._-]+");

    private TopicNames() {}

    /// What is wrong with `name`, in a sentence; empty when nothing is.
    public static Optional<String> problem(String name) {
        if (name.isEmpty()) {
            return Optional.of("A topic's name can't be empty");
        }
        if (name.equals(".") || name.equals("..")) {
            return Optional.of("A topic's name can't be " + name);
        }
        if (name.length() > LONGEST) {
            return Optional.of("A topic's name has at most " + LONGEST + " characters, not " + name.length());
        }
        if (!LEGAL.matcher(name).matches()) {
            return Optional.of("A topic's name is made of letters, digits, '.', '_' and '-' only");
        }
        if (name.equals(CATALOGUE)) {
            return Optional.of("The name " + CATALOGUE + " is the broker's own");
        }
        return Optional.empty();
    }

    /// Whether the name has a '.' or '_', which many systems that count by topic take for the same.
    static boolean mayCollide(String name) {
        return name.indexOf('.') >= 0 || name.indexOf('_') >= 0;
    }

    /// What such systems make of a name.
    static String unified(String name) {
        return name.replace('.', '_');
    }

    /// Whether the topic is the broker's own, and marked so in what clients are told.
    public static boolean isInternal(String name) {
        return name.equals(CONSUMER_OFFSETS) || name.equals("__transaction_state");
    }
}
