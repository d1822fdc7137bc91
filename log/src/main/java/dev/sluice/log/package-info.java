/// A partition's log in Kafka's formats on disk: batches, segments, indexes, recovery, retention.
@NullMarked
package dev.sluice.log;

import org.jspecify.annotations.NullMarked;
