/// Fault plans, clients, batches and leak counters. Used by tests only.
@NullMarked
package dev.sluice.testkit;

import org.jspecify.annotations.NullMarked;
