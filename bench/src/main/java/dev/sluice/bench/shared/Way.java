package dev.sluice.bench.shared;

/// How messages get from one JVM to the other.
enum Way {
    POOL("shared pool", true),
    SPINNING_POOL("shared pool, 50 µs of spinning", true),
    UNIX("UNIX socket", false),
    TCP("TCP over loopback", false);

    final String title;
    final boolean isPool;

    Way(String title, boolean isPool) {
        this.title = title;
        this.isPool = isPool;
    }
}
