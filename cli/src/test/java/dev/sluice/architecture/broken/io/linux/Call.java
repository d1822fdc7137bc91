package dev.sluice.architecture.broken.io.linux;

/// Stands for a class of its package.
public interface Call {}
