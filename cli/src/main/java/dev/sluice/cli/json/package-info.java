/// JSON read back, by the command's own pages and by the measurements beside it.
@NullMarked
package dev.sluice.cli.json;

import org.jspecify.annotations.NullMarked;
