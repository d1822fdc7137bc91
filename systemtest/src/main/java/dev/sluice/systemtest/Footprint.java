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
record Footprint(long descriptors, long maps, long threads, long residentKiB, long anonymousKiB) {
    static Footprint of(BrokerProcess broker) throws IOException {
        Path process = Path.of("/proc", Long.toString(broker.pid()));
        long descriptors;
        try (Stream<Path> open = Files.list(process.resolve("fd"))) {
            descriptors = open.count();
        }
        return new Footprint(
                descriptors,
                Files.readAllLines(process.resolve("maps")).size(),
                broker.statusNumber("Threads"),
                broker.statusNumber("VmRSS"),
                broker.statusNumber("RssAnon"));
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%d descriptors, %d maps, %d threads, %.1f MiB resident, %.1f MiB its own",
                descriptors,
                maps,
                threads,
                residentKiB / 1024.0,
                anonymousKiB / 1024.0);
    }
}
