/// Pictures of measurements, as SVG within pages of HTML.
@NullMarked
package dev.sluice.cli.plot;

import org.jspecify.annotations.NullMarked;
