package dev.sluice.architecture.broken.log;

/// Stands for a class of its package.
public interface Segment {}
