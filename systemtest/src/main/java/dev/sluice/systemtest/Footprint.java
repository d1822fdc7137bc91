package dev.sluice.systemtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/// What a broker's process takes up at a moment, as /proc tells.
///
/// @param residentKiB  VmRSS: mapped files that are in memory count too
/// @param anonymousKiB RssAnon: its own memory
record Footprint(long descriptors, long maps, long residentKiB, long anonymousKiB) {
    static Footprint of(BrokerProcess broker) throws IOException {
        Path process = Path.of("/proc", Long.toString(broker.pid()));
        long descriptors;
        try (Stream<Path> open = Files.list(process.resolve("fd"))) {
            descriptors = open.count();
        }
        return new Footprint(
                descriptors,
                Files.readAllLines(process.resolve("maps")).size(),
                broker.statusKiB("VmRSS"),
                broker.statusKiB("RssAnon"));
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%d descriptors, %d maps, %.1f MiB resident, %.1f MiB its own",
                descriptors,
                maps,
                residentKiB / 1024.0,
                anonymousKiB / 1024.0);
    }
}
