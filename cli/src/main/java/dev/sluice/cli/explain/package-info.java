/// `sluice explain`: one transfer, traced and drawn. Knows nothing of the command line.
@NullMarked
package dev.sluice.cli.explain;

import org.jspecify.annotations.NullMarked;
