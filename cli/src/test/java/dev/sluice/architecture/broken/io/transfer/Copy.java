package dev.sluice.architecture.broken.io.transfer;

/// Stands for a class of its package.
public interface Copy {}
