package dev.sluice.architecture.broken.io.loop;

/// Stands for a class of its package.
public interface Turn {}
