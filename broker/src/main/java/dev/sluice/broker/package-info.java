/// Kafka's wire protocol on top of the log: connections, one handler an API, groups.
@NullMarked
package dev.sluice.broker;

import org.jspecify.annotations.NullMarked;
