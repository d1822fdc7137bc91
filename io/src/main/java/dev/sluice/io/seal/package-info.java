/// Transfers that encrypt: read, encrypt, write. A sibling of the line linux ← memory ← transfer ← loop.
@NullMarked
package dev.sluice.io.seal;

import org.jspecify.annotations.NullMarked;
