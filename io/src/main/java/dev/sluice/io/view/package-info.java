/// Files seen as memory, and what can happen to them meanwhile: maps that survive truncation, leases, private copies,
/// snapshots. A sibling of the line linux ← memory ← transfer ← loop.
@NullMarked
package dev.sluice.io.view;

import org.jspecify.annotations.NullMarked;
