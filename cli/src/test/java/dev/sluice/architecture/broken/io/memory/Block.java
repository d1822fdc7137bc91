package dev.sluice.architecture.broken.io.memory;

/// Stands for a class of its package.
public interface Block {}
