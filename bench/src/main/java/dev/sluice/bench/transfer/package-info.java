/// What sending a file costs by each method, beside C programs that do the same, the JDK's ways and Netty's.
///
/// ```
///  TransferBench ── lines ──→ sender (C) ───────────┐
///        │       ── lines ──→ SenderMain (library) ─┼─ loopback ──→ receiver (C): discards, or checks
///        │       ── lines ──→ SenderMain (peers) ───┘                   │
///        └──────────────────────── "received BYTES HASH" ───────────────┘
/// ```
///
/// One sender works at a time. Each measures its own processor time, so what the receiver and the harness spend isn't
/// in it.
@NullMarked
package dev.sluice.bench.transfer;

import org.jspecify.annotations.NullMarked;
