/// Listeners, event loops and connections: bytes in, frames to handlers, answers out.
@NullMarked
package dev.sluice.broker.net;

import org.jspecify.annotations.NullMarked;
