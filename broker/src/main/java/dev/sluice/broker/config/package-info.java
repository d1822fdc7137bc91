/// What a broker is told when it starts.
@NullMarked
package dev.sluice.broker.config;

import org.jspecify.annotations.NullMarked;
