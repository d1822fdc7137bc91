package dev.sluice.log;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Names of the files of one segment: its base offset in 20 digits, and what they hold.
record SegmentFiles(Path folder, long baseOffset) {
    static final String LOG = ".log";
    static final String OFFSET_INDEX = ".index";
    static final String TIME_INDEX = ".timeindex";
    static final String TRANSACTION_INDEX = ".txnindex";
    static final String SNAPSHOT = ".snapshot";
    /// Kafka's mark on a file of a deleted segment that is still to be unlinked.
    static final String DELETED = ".deleted";

    private static final Pattern NAME = Pattern.compile("([0-9]{20})(\\.[a-z]+)");
    private static final Pattern LEFTOVER = Pattern.compile("[0-9]{20}\\.[a-z]+\\" + DELETED);

    /// The offset in a file's name and its suffix.
    record Name(long baseOffset, String suffix) {}

    /// What a file's name says, or empty when it is none of a segment's.
    static Optional<Name> parse(String fileName) {
        Matcher matcher = NAME.matcher(fileName);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Name(Long.parseLong(matcher.group(1)), matcher.group(2)));
        } catch (NumberFormatException e) { // above 2^63
            return Optional.empty();
        }
    }

    static boolean isLeftover(String fileName) {
        return LEFTOVER.matcher(fileName).matches() || fileName.endsWith(SmallFiles.TEMPORARY);
    }

    static Path of(Path folder, long offset, String suffix) {
        return folder.resolve(String.format("%020d", offset) + suffix);
    }

    Path log() {
        return of(folder, baseOffset, LOG);
    }

    Path offsetIndex() {
        return of(folder, baseOffset, OFFSET_INDEX);
    }

    Path timeIndex() {
        return of(folder, baseOffset, TIME_INDEX);
    }

    Path transactionIndex() {
        return of(folder, baseOffset, TRANSACTION_INDEX);
    }

    Path snapshot() {
        return of(folder, baseOffset, SNAPSHOT);
    }
}
