/// One handler, one file: an API, its versions, and what it answers.
@NullMarked
package dev.sluice.broker.api;

import org.jspecify.annotations.NullMarked;
