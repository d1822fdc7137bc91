/// The figures of docs/METHODS.md, its Chinese edition and the README: measured by `sluice compare`, written into their
/// tables.
@NullMarked
package dev.sluice.bench.methods;

import org.jspecify.annotations.NullMarked;
