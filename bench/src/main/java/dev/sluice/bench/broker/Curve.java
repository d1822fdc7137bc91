package dev.sluice.bench.broker;

import dev.sluice.bench.broker.Work.Kind;
import dev.sluice.bench.broker.Work.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What grows while everything else stays as it is, and the points at which it is measured.
enum Curve {
    PRODUCE_BATCH("batch, bytes", 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1_000_000) {
        @Override
        Work work(long x) {
            return point(Kind.PRODUCE, 1, "batch=" + x, "requests=" + requests(x));
        }
    },
    FETCH_SIZE("bytes a response", 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20) {
        @Override
        Work work(long x) {
            return point(Kind.FETCH, 1, "batch=3500", "max=" + x, "requests=" + requests(x));
        }
    },
    CONNECTIONS("connections, of which one works", 1, 10, 100, 1_000, 10_000) {
        @Override
        Work work(long x) {
            return point(Kind.PRODUCE, 1, "batch=16384", "requests=20000");
        }

        @Override
        long idleConnections(long x) {
            return x - 1;
        }
    },
    PARTITIONS("partitions", 1, 10, 100, 1_000, 10_000) {
        @Override
        Work work(long x) {
            return point(
                    Kind.PRODUCE,
                    Math.toIntExact(x),
                    "batch=16384",
                    "connections=4",
                    "partitions=" + x,
                    "requests=" + Math.max(20_000, 2 * x));
        }
    },
    CONSUMERS("consumers of one partition", 1, 2, 5, 20, 100, 200) {
        @Override
        Work work(long x) {
            return point(Kind.FETCH, 1, "batch=65536", "max=1048576", "connections=" + x, "requests=2000");
        }
    },
    LOG_SIZE("MiB in the log before", 0, 256, 1_024, 4_096) {
        @Override
        Work work(long x) {
            return point(Kind.PRODUCE, 1, "batch=65536", "requests=8000");
        }

        @Override
        long filledMib(long x) {
            return x;
        }
    };

    private static final long MOST_BYTES = 512L << 20;
    private static final long MOST_REQUESTS = 40_000;

    /// What the numbers of [#points] count.
    final String axis;

    @SuppressWarnings("ImmutableEnumChecker") // a copy that cannot be changed
    final List<Long> points;

    Curve(String axis, long... points) {
        this.axis = axis;
        List<Long> all = new ArrayList<>();
        for (long point : points) {
            all.add(point);
        }
        this.points = List.copyOf(all);
    }

    static Curve of(String name) {
        for (Curve curve : values()) {
            if (curve.label().equals(name)) {
                return curve;
            }
        }
        throw new IllegalArgumentException("No curve is called " + name + ": " + names());
    }

    /// What all are called, with blanks between.
    static String names() {
        return String.join(" ", List.of(values()).stream().map(Curve::label).toList());
    }

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// What is done at a point.
    abstract Work work(long x);

    /// Connections that say nothing meanwhile.
    long idleConnections(long x) {
        return 0;
    }

    /// What the topic holds before.
    long filledMib(long x) {
        return 0;
    }

    Work point(Kind kind, int partitions, String... options) {
        return new Work(label(), kind, List.of(options), Unit.GIB, partitions, 0);
    }

    private static long requests(long bytes) {
        return Math.min(MOST_REQUESTS, MOST_BYTES / bytes);
    }
}
