/// One floor at a time, by JMH: parsing a frame, checking a batch, appending it, finding a span, sharing a flush.
///
/// Classes are public and not final, as JMH wants them.
@NullMarked
package dev.sluice.bench.floor;

import org.jspecify.annotations.NullMarked;
