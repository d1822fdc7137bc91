package dev.sluice.bench.broker;

import dev.sluice.bench.broker.Work.Kind;
import dev.sluice.bench.broker.Work.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What grows while everything else stays as it is, and the points at which it is measured.
enum Curve {
    PRODUCE_BATCH("bytes of a batch", "secondsAGib", 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1_000_000) {
        @Override
        Work work(long x) {
            return point(Kind.PRODUCE, 1, "batch=" + x, "requests=" + requests(x));
        }
    },
    FETCH_SIZE("bytes a response", "secondsAGib", 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20) {
        @Override
        Work work(long x) {
            return point(Kind.FETCH, 1, "batch=3500", "max=" + x, "requests=" + requests(x));
        }
    },
    CONNECTIONS("connections, of which one works", "residentMib", 1, 10, 100, 1_000, 10_000) {
        @Override
        Work work(long x) {
            return point(Kind.PRODUCE, 1, "batch=16384", "requests=20000");
        }

        @Override
        long idleConnections(long x) {
            return x - 1;
        }
    },
    PARTITIONS("partitions", "residentMib", 1, 10, 100, 1_000, 10_000) {
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

        @Override
        long most(Subject subject) {
            return subject == Subject.SLUICE ? Long.MAX_VALUE : 1_000;
        }
    },
    CONSUMERS("consumers of one partition", "p99Ms", 1, 2, 5, 20, 100, 200) {
        @Override
        Work work(long x) {
            return point(Kind.FETCH, 1, "batch=65536", "max=1048576", "connections=" + x, "requests=2000");
        }
    },
    /// Measured by [LogGrowth]: the log stays and grows from point to point.
    LOG_SIZE("MiB in the log", "startSeconds", 256, 1_024, 4_096, 16_384) {
        @Override
        Work work(long x) {
            return point(
                    Kind.FETCH,
                    1,
                    "batch=" + LogGrowth.BATCH_BYTES,
                    "max=" + LogGrowth.BATCH_BYTES,
                    "requests=5000",
                    "scatter=" + LogGrowth.batches(x));
        }

        @Override
        List<Column> columns() {
            return Column.OF_A_LOG;
        }
    };

    private static final long MOST_BYTES = 512L << 20;
    private static final long MOST_REQUESTS = 40_000;

    /// A figure that is told of every point.
    ///
    /// @param key  in JSON
    /// @param head of a table's column, and on a picture
    record Column(String key, String head) {
        static final Column REQUEST = new Column("microsecondsARequest", "CPU, µs a request");
        private static final Column GIB = new Column("secondsAGib", "CPU s/GiB");
        private static final Column RESIDENT = new Column("residentMib", "resident MiB");
        private static final Column ANONYMOUS = new Column("anonymousMib", "anonymous MiB");
        static final List<Column> OF_A_LOAD = List.of(
                REQUEST,
                GIB,
                new Column("requestsASecond", "requests/s"),
                new Column("p99Ms", "p99 ms"),
                RESIDENT,
                ANONYMOUS);
        static final List<Column> OF_A_LOG = List.of(
                REQUEST,
                new Column("fetchSecondsAGib", "reading on, CPU s/GiB"),
                new Column("startSeconds", "start s"),
                new Column("startAfterKillSeconds", "start after a kill s"),
                RESIDENT,
                ANONYMOUS);
    }

    /// What the numbers of [#points] count.
    final String axis;

    /// The key of what is drawn beside microseconds a request.
    final String beside;

    @SuppressWarnings("ImmutableEnumChecker") // a copy that cannot be changed
    final List<Long> points;

    Curve(String axis, String beside, long... points) {
        this.axis = axis;
        this.beside = beside;
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

    /// The last point that this subject is measured at.
    long most(Subject subject) {
        return Long.MAX_VALUE;
    }

    List<Column> columns() {
        return Column.OF_A_LOAD;
    }

    boolean isOfBytes() {
        return beside.equals("secondsAGib");
    }

    Work point(Kind kind, int partitions, String... options) {
        return new Work(label(), kind, List.of(options), Unit.GIB, partitions, 0);
    }

    private static long requests(long bytes) {
        return Math.min(MOST_REQUESTS, MOST_BYTES / bytes);
    }
}
