/// The floor of bytes: kernel calls, memory, transfer methods, the copy account, the event loop.
@NullMarked
package dev.sluice.io;

import org.jspecify.annotations.NullMarked;
