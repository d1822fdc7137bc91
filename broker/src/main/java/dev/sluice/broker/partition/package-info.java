/// A partition as the broker sees it: a log and those who wait for it.
@NullMarked
package dev.sluice.broker.partition;

import org.jspecify.annotations.NullMarked;
