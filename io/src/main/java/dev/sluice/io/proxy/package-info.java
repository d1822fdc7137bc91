/// A proxy for TCP connections that no byte of a payload enters user space for: splice in, splice out. A sibling of the
/// line linux ← memory ← transfer ← loop.
@NullMarked
package dev.sluice.io.proxy;

import org.jspecify.annotations.NullMarked;
