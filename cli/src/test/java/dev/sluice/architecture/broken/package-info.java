/// A small house of its own, in which nearly every class breaks one rule of the architecture. Never runs.
package dev.sluice.architecture.broken;
