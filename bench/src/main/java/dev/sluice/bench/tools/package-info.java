/// What the benchmarks share: programs in C, ratios of pairs, JSON.
@NullMarked
package dev.sluice.bench.tools;

import org.jspecify.annotations.NullMarked;
