/// Benchmarks: one floor at a time, and whole processes beside their peers.
@NullMarked
package dev.sluice.bench;

import org.jspecify.annotations.NullMarked;
