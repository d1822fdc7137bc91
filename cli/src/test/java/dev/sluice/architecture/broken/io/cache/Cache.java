package dev.sluice.architecture.broken.io.cache;

/// Stands for a class of its package.
public interface Cache {}
