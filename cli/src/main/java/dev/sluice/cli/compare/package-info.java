/// `sluice compare`: every way to move bytes, measured side by side. Knows nothing of the command line.
@NullMarked
package dev.sluice.cli.compare;

import org.jspecify.annotations.NullMarked;
