package dev.sluice.architecture.broken.cli;

/// Stands for a class of its package.
public interface Command {}
