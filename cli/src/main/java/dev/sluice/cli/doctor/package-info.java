/// What this machine offers the product, and what to change: one finding a line.
@NullMarked
package dev.sluice.cli.doctor;

import org.jspecify.annotations.NullMarked;
