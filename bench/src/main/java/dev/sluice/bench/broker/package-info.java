/// Sluice's broker beside its peers and beside what the kernel can do at best, on the same work in the same run.
///
/// ```
///  BrokerBench ── start, stop ──→ Server: Sluice, Kafka           (its CPU time is what counts)
///        │                          ▲
///        └── one line a run ──→ load (C), a client that costs next to nothing
///                               limit (C), the same work without a protocol
/// ```
@NullMarked
package dev.sluice.bench.broker;

import org.jspecify.annotations.NullMarked;
