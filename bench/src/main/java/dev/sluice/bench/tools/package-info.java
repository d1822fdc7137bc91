/// What the benchmarks share: command lines, programs in C, clocks of processor time, ratios of pairs, JSON.
@NullMarked
package dev.sluice.bench.tools;

import org.jspecify.annotations.NullMarked;
