/// Consumer groups: Kafka's own group coordinator on our log. The only package that imports Kafka's server-side
/// classes; they are loaded with the first request about a group.
@NullMarked
package dev.sluice.broker.coordinator;

import org.jspecify.annotations.NullMarked;
