/// Produce, Fetch and the framing around every request, parsed and written in place.
///
/// These two requests carry the records, so they have a codec of our own: it reads off-heap memory where the bytes were received, builds no
/// object trees and leaves record bytes alone. Every other request is parsed by kafka-clients; the fields, versions and encodings
/// of these two are those of its message definitions ProduceRequest.json, FetchRequest.json and their responses, 4.3.1.
///
/// Nothing here knows a socket or a log. Every class is owned by one thread, its event loop.
@NullMarked
package dev.sluice.broker.protocol;

import org.jspecify.annotations.NullMarked;
