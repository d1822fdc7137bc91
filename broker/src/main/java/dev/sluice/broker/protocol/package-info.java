/// Produce, Fetch and the framing around every request, parsed and written in place.
///
/// These two requests carry the records, so they have a codec of our own: it reads off-heap memory where the
/// bytes were received, builds no object trees and leaves record bytes alone. Every other request is parsed by
/// kafka-clients; the fields, versions and encodings of these two are those of its message definitions
/// ProduceRequest.json, FetchRequest.json and their responses, 4.3.1.
///
/// What is malformed is what Kafka's own parsers refuse, and these, which they take:
///
/// - a varint of 32 bits, or with bits beyond. Kafka takes such a length for null and such a count of tagged fields
///   for none, and drops the bits. No encoder writes one; a reader that takes the number at its word sees another
///   request.
/// - a topic's name that is not UTF-8. Kafka answers for a name that the client never sent. Our answer repeats the
///   name, so it must encode to the client's bytes, and to no more of them than a string may have.
/// - a tagged field that Kafka knows, whose size is not what its value takes. Kafka doesn't look at the size; whoever
///   doesn't know the field has nothing else.
///
/// The codec knows no socket and no log. Each of its objects is owned by one thread, its event loop.
@NullMarked
package dev.sluice.broker.protocol;

import org.jspecify.annotations.NullMarked;
