/// Campaigns against the built command: a broker in a process of its own, real clients, Kafka's own tools, strace, kill
/// -9.
@NullMarked
package dev.sluice.systemtest;

import org.jspecify.annotations.NullMarked;
