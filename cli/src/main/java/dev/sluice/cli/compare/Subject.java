package dev.sluice.cli.compare;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// A way in one of the circumstances that it is measured in, and what was measured so far. Owned by the comparison's
/// thread.
final class Subject {
    final Way way;
    final int pieceBytes;

    /// Of the way to the other side; empty where it has but one.
    final String state;

    final boolean cold;
    final boolean swept;
    final List<Sample> samples = new ArrayList<>();

    /// Bytes of a move: grows from the warm-up to the measured runs.
    long lengthBytes;

    /// Where in the file the next move begins.
    long position;

    long roundNs;

    @Nullable String unavailable;

    private Subject(Way way, int pieceBytes, String state, boolean cold, boolean swept) {
        this.way = way;
        this.pieceBytes = pieceBytes;
        this.state = state;
        this.cold = cold;
        this.swept = swept;
    }

    /// All that a comparison measures, in the order of its tables.
    static List<Subject> all(Comparison.Request request, List<String> states) {
        List<Subject> subjects = new ArrayList<>();
        for (Direction direction : directions(request.over())) {
            for (Way way : ways(direction)) {
                for (String state : states) {
                    add(subjects, request, way, state);
                }
            }
        }
        return subjects;
    }

    private static void add(List<Subject> subjects, Comparison.Request request, Way way, String state) {
        int largest = request.pieceSizes().getLast();
        if (!way.hasPieces()) {
            subjects.add(new Subject(way, largest, state, false, false));
        } else {
            Set<Integer> sizes = new TreeSet<>(request.pieceSizes());
            if (way.isSwept() && state.isEmpty()) {
                sizes.addAll(request.sweptSizes());
            }
            for (int size : sizes) {
                subjects.add(new Subject(
                        way, size, state, false, !request.pieceSizes().contains(size)));
            }
        }
        if (request.cold() && way.direction().readsFile() && way.usesPageCache()) {
            subjects.add(new Subject(way, largest, state, true, false));
        }
    }

    /// Over a way to the other side that is not the usual one, only what goes that way.
    private static Set<Direction> directions(Over over) {
        return switch (over) {
            case Over.Loopback() -> EnumSet.allOf(Direction.class);
            case Over.Veth() -> EnumSet.of(Direction.FILE_TO_SOCKET);
            case Over.Remote(var _) -> EnumSet.of(Direction.FILE_TO_SOCKET, Direction.SOCKET_TO_FILE);
        };
    }

    private static List<Way> ways(Direction direction) {
        List<Way> ways = new ArrayList<>(SluiceWay.all(direction));
        ways.addAll(PollingWay.all(direction));
        ways.addAll(KernelTlsWay.all(direction));
        ways.addAll(SealedWay.all(direction));
        ways.addAll(DiskWay.all(direction));
        ways.addAll(JdkWay.all(direction));
        ServiceLoader.load(MoreWays.class).forEach(more -> ways.addAll(more.of(direction)));
        return ways;
    }

    String label() {
        return way.family().label() + " " + way.name() + ", " + way.direction().label();
    }
}
