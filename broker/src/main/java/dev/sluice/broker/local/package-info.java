/// Readers on the same host: a UNIX socket where they ask for a partition, and get its segments' files and a page that
/// tells how far they may read (`docs/formats/local-reading.md`).
@NullMarked
package dev.sluice.broker.local;

import org.jspecify.annotations.NullMarked;
