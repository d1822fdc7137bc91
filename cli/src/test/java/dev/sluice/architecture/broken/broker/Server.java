package dev.sluice.architecture.broken.broker;

/// Stands for a class of its package.
public interface Server {}
