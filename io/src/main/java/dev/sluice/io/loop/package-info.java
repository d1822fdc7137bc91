/// The event loop: epoll, timers, a mailbox.
@NullMarked
package dev.sluice.io.loop;

import org.jspecify.annotations.NullMarked;
