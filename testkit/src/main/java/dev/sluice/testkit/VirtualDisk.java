package dev.sluice.testkit;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Gate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A disk that may lose, tear, reorder and delay everything that was not synced: what a power cut can leave of a
/// folder.
///
/// The program works on a real folder, the page cache's view. This gate stands before all of its calls and keeps,
/// beside it, what the device is known to have, and what it may have or not:
///
/// ```
///   a file    content at its last fsync or fdatasync   + writes, truncations, growth since: any of them, in any order,
///                                                        a write also in part, by sectors
///   a folder  names at its last fsync                  + creations, renames, removals since: the first so many of
/// them,
///                                                        for file systems log these in order
/// ```
///
/// [#crash] makes a folder of one such state. A name of a file without its content, and content without a name, are
/// among them. What is stored through a map is found by comparing the file, page by page.
///
/// What a call did is looked up in the real folder at the next one, so the calls that may change something must come
/// one after the other; whatever thread makes them, one waits for the other. The kernel's own write-back is not waited
/// for: it is one of the states. It knows the calls that this library's log makes: no hard links, no writes but by
/// pwrite, pwritev and pwritev2, none of which a ring makes. What is not of the folder is not looked at.
public final class VirtualDisk implements Gate {
    /// What a device writes whole.
    private static final int SECTOR_BYTES = 512;

    private static final int PAGE_BYTES = 4096;

    /// Is told of every moment at which something has changed that a crash can tell from the one before.
    @FunctionalInterface
    public interface Moment {
        void changed();
    }

    /// A change of a file's content that is not synced.
    private sealed interface Change {
        record Write(long position, byte[] bytes) implements Change {}

        record Length(int lengthBytes) implements Change {}
    }

    /// A change of a folder's names that is not synced.
    ///
    /// @param removed the name that goes, or null
    /// @param added   the name that comes, or null
    private record Naming(
            @Nullable String removed,
            @Nullable String added,
            @Nullable Node node) {}

    private static final class Node {
        private final boolean isFolder;
        private Path path;
        private boolean mapped;

        private byte[] synced = new byte[0];
        private byte[] view = new byte[0];
        private final List<Change> changes = new ArrayList<>();

        private final Map<String, Node> syncedNames = new TreeMap<>();
        private final Map<String, Node> names = new TreeMap<>();
        private final List<Naming> namings = new ArrayList<>();

        private Node(boolean isFolder, Path path) {
            this.isFolder = isFolder;
            this.path = path;
        }
    }

    /// A call that was let through, and whose effect is still to be looked up.
    private record Made(Call call, String subject, long position, long lengthBytes) {}

    private final Node root;
    /// What the paths of this disk's files begin with.
    private final String prefix;
    /// By the path that a descriptor was opened with, which it keeps when the file gets another name.
    private final Map<String, Node> opened = new HashMap<>();
    private final Gate inner;

    // Guarded by this.
    private @Nullable Made last;
    private @Nullable Moment moment;
    private boolean telling;

    /// A disk that has all that lies in the folder now.
    ///
    /// @param folder real, and empty of what others change
    /// @param inner  decides about each call first
    public VirtualDisk(Path folder, Gate inner) {
        this.root = new Node(true, folder);
        this.prefix = folder.toString();
        this.inner = inner;
        load(root);
    }

    private static void load(Node folder) {
        try (Stream<Path> children = Files.list(folder.path)) {
            for (Path child : children.sorted().toList()) {
                Node node = new Node(Files.isDirectory(child), child);
                if (node.isFolder) {
                    load(node);
                } else {
                    node.view = Files.readAllBytes(child);
                    node.synced = node.view;
                }
                folder.names.put(nameOf(child), node);
                folder.syncedNames.put(nameOf(child), node);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String nameOf(Path path) {
        return String.valueOf(path.getFileName());
    }

    /// Has somebody told of every moment from now on, on the thread that makes the next call, before it is made.
    public synchronized void tell(@Nullable Moment newMoment) {
        moment = newMoment;
    }

    // ---- The gate

    @Override
    public long admit(Call call, String subject, long position, long lengthBytes) {
        return mayChange(call) && subject.startsWith(prefix)
                ? admitChange(call, subject, position, lengthBytes)
                : inner.admit(call, subject, position, lengthBytes);
    }

    /// Others may be made beside a call that is under way, by an engine that closes its files when it has the time,
    /// say: they must not look up what that has not done yet.
    private static boolean mayChange(Call call) {
        return switch (call) {
            case OPENAT,
                    MKDIR,
                    UNLINK,
                    RENAME,
                    PWRITE,
                    PWRITEV,
                    PWRITEV2,
                    FTRUNCATE,
                    FALLOCATE,
                    FSYNC,
                    FDATASYNC,
                    MMAP -> true;
            default -> false;
        };
    }

    private synchronized long admitChange(Call call, String subject, long position, long lengthBytes) {
        settle();
        long answer = inner.admit(call, subject, position, lengthBytes);
        if (answer >= 0) {
            last = new Made(call, subject, position, answer);
        }
        return answer;
    }

    @Override
    public boolean mayShorten() {
        return inner.mayShorten();
    }

    /// Looks up what the last call did.
    public synchronized void settle() {
        Made made = last;
        last = null;
        boolean changed = lookAtMaps(root);
        if (made != null) {
            changed |= settle(made);
        }
        Moment told = moment;
        if (changed && told != null && !telling) {
            telling = true;
            try {
                told.changed();
            } finally {
                telling = false;
            }
        }
    }

    private boolean settle(Made made) {
        return switch (made.call()) {
            case OPENAT -> settleOpen(made.subject());
            case MKDIR -> settleCreated(Path.of(made.subject()));
            case UNLINK -> settleUnlinked(Path.of(made.subject()));
            case RENAME -> settleRenamed(Path.of(made.subject()));
            case PWRITE, PWRITEV, PWRITEV2 -> settleWritten(made);
            case FTRUNCATE, FALLOCATE -> settleLength(made.subject());
            case FSYNC, FDATASYNC -> settleSynced(made.subject());
            case MMAP -> {
                Node node = opened.get(made.subject());
                if (node != null) {
                    node.mapped = true;
                }
                yield false;
            }
            default -> false;
        };
    }

    private @Nullable Node find(Path path) {
        if (path.equals(root.path)) {
            return root;
        }
        if (!path.startsWith(root.path)) {
            return null;
        }
        Node node = root;
        for (Path name : root.path.relativize(path)) {
            node = node == null ? null : node.names.get(name.toString());
        }
        return node;
    }

    private @Nullable Node folderOf(Path path) {
        Path parent = path.getParent();
        return parent == null ? null : find(parent);
    }

    private boolean settleOpen(String subject) {
        Path path = Path.of(subject);
        boolean created = settleCreated(path);
        Node node = find(path);
        if (node != null) {
            opened.put(subject, node);
            return created || settleLength(subject); // O_TRUNC
        }
        return created;
    }

    private boolean settleCreated(Path path) {
        Node folder = folderOf(path);
        if (folder == null || folder.names.containsKey(nameOf(path)) || !Files.exists(path)) {
            return false;
        }
        Node node = new Node(Files.isDirectory(path), path);
        folder.names.put(nameOf(path), node);
        folder.namings.add(new Naming(null, nameOf(path), node));
        return true;
    }

    private boolean settleUnlinked(Path path) {
        Node folder = folderOf(path);
        if (folder == null || Files.exists(path) || folder.names.remove(nameOf(path)) == null) {
            return false;
        }
        folder.namings.add(new Naming(nameOf(path), null, null));
        return true;
    }

    /// The new name is not told: it is the one in the same folder that names what the old one did.
    private boolean settleRenamed(Path from) {
        Node folder = folderOf(from);
        Node node = folder == null ? null : folder.names.get(nameOf(from));
        if (folder == null || node == null || Files.exists(from)) {
            return false;
        }
        Path to = renamedTo(folder, node);
        folder.names.remove(nameOf(from));
        folder.names.put(nameOf(to), node);
        folder.namings.add(new Naming(nameOf(from), nameOf(to), node));
        move(node, to);
        return true;
    }

    private static Path renamedTo(Node folder, Node node) {
        try (Stream<Path> children = Files.list(folder.path)) {
            List<Path> candidates = children.filter(child -> Files.isDirectory(child) == node.isFolder)
                    .filter(child -> isNow(child, folder, node))
                    .toList();
            if (candidates.size() != 1) {
                throw new IllegalStateException(node.path + " was renamed to one of " + candidates);
            }
            return candidates.getFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A name that is new, or whose content is now that of the renamed file.
    private static boolean isNow(Path child, Node folder, Node node) {
        Node known = folder.names.get(nameOf(child));
        if (known == null) {
            return true;
        }
        return !node.isFolder
                && nameOf(node.path).startsWith(nameOf(child)) // a replacement: NAME.tmp over NAME
                && Arrays.equals(read(child), node.view);
    }

    private static void move(Node node, Path to) {
        node.path = to;
        node.names.forEach((name, child) -> move(child, to.resolve(name)));
    }

    private static byte[] read(Path path) {
        try {
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean settleWritten(Made made) {
        Node node = opened.get(made.subject());
        if (node == null || node.isFolder || !Files.exists(node.path)) {
            return false;
        }
        byte[] now = read(node.path);
        int from = (int) Math.min(made.position(), now.length);
        int to = (int) Math.min(made.position() + made.lengthBytes(), now.length);
        node.changes.add(new Change.Write(from, Arrays.copyOfRange(now, from, to)));
        node.view = now;
        return true;
    }

    private boolean settleLength(String subject) {
        Node node = opened.get(subject);
        if (node == null || node.isFolder || !Files.exists(node.path)) {
            return false;
        }
        byte[] now = read(node.path);
        if (now.length == node.view.length) {
            return false;
        }
        node.changes.add(new Change.Length(now.length));
        node.view = now;
        return true;
    }

    private boolean settleSynced(String subject) {
        Node node = opened.get(subject);
        if (node == null) {
            return false;
        }
        boolean changed = !node.changes.isEmpty() || !node.namings.isEmpty();
        node.synced = node.view;
        node.changes.clear();
        node.syncedNames.clear();
        node.syncedNames.putAll(node.names);
        node.namings.clear();
        return changed;
    }

    private static boolean lookAtMaps(Node node) {
        boolean changed = false;
        for (Node child : node.names.values()) {
            changed |= child.isFolder ? lookAtMaps(child) : child.mapped && lookAtMap(child);
        }
        return changed;
    }

    private static boolean lookAtMap(Node node) {
        byte[] now = Files.exists(node.path) ? read(node.path) : node.view;
        if (now.length != node.view.length || Arrays.equals(now, node.view)) {
            return false; // its length is looked at when the call that changed it is
        }
        for (int page = 0; page < now.length; page += PAGE_BYTES) {
            int end = Math.min(now.length, page + PAGE_BYTES);
            if (!Arrays.equals(now, page, end, node.view, page, end)) {
                node.changes.add(new Change.Write(page, Arrays.copyOfRange(now, page, end)));
            }
        }
        node.view = now;
        return true;
    }

    // ---- Crash states

    /// How many changes may be there or not.
    public synchronized int unsynced() {
        return count(root, new HashSet<>());
    }

    private static int count(Node node, Set<Node> counted) {
        if (!counted.add(node)) {
            return 0;
        }
        int count = node.changes.size() + node.namings.size();
        Set<Node> children = new HashSet<>(node.names.values());
        children.addAll(node.syncedNames.values());
        node.namings.forEach(naming -> {
            if (naming.node() != null) {
                children.add(naming.node());
            }
        });
        for (Node child : children) {
            count += count(child, counted);
        }
        return count;
    }

    /// Decides what of the changes the device has.
    public interface Fate {
        /// How many of a folder's unsynced namings are there, the first ones.
        int namings(int unsynced);

        /// Whether an unsynced change of a file is there.
        boolean kept();

        /// Of a write that is there: how many of its sectors, from the first on if positive, from the last on
        /// if negative.
        int sectors(int all);
    }

    /// Nothing that was not synced.
    public static final Fate NOTHING = fate(_ -> 0, false);

    /// Everything, as after kill -9.
    public static final Fate EVERYTHING = fate(unsynced -> unsynced, true);

    private static Fate fate(java.util.function.IntUnaryOperator namings, boolean kept) {
        return new Fate() {
            @Override
            public int namings(int unsynced) {
                return namings.applyAsInt(unsynced);
            }

            @Override
            public boolean kept() {
                return kept;
            }

            @Override
            public int sectors(int all) {
                return all;
            }
        };
    }

    /// Each change by chance; some of the writes that are there are torn.
    public static Fate random(Random random) {
        return new Fate() {
            @Override
            public int namings(int unsynced) {
                return random.nextInt(3) == 0 ? random.nextInt(unsynced + 1) : unsynced;
            }

            @Override
            public boolean kept() {
                return random.nextBoolean();
            }

            @Override
            public int sectors(int all) {
                if (all < 2 || random.nextInt(3) > 0) {
                    return all;
                }
                int some = random.nextInt(1, all);
                return random.nextBoolean() ? some : -some;
            }
        };
    }

    /// The `number`th of all combinations of changes that are there whole or not at all, in the order in which they
    /// are asked for: bit 0 is the first one's.
    public static Fate combination(long number) {
        return new Fate() {
            private long left = number;

            @Override
            public int namings(int unsynced) {
                int there = 0;
                for (int i = 0; i < unsynced; i++) {
                    if (kept() && there == i) {
                        there++;
                    }
                }
                return there;
            }

            @Override
            public boolean kept() {
                boolean bit = (left & 1) == 1;
                left >>= 1;
                return bit;
            }

            @Override
            public int sectors(int all) {
                return all;
            }
        };
    }

    /// Makes a folder of what the disk has if the power is cut now.
    ///
    /// @param into a folder that is empty, or is made
    public synchronized void crash(Fate fate, Path into) throws IOException {
        write(root, fate, into, new HashMap<>());
    }

    private static void write(Node node, Fate fate, Path into, Map<Node, byte[]> contents) throws IOException {
        Files.createDirectories(into);
        Map<String, Node> names = new TreeMap<>(node.syncedNames);
        int there = fate.namings(node.namings.size());
        for (Naming naming : node.namings.subList(0, there)) {
            if (naming.removed() != null) {
                names.remove(naming.removed());
            }
            if (naming.added() != null && naming.node() != null) {
                names.put(naming.added(), naming.node());
            }
        }
        for (Map.Entry<String, Node> each : names.entrySet()) {
            Path path = into.resolve(each.getKey());
            Node child = each.getValue();
            if (child.isFolder) {
                write(child, fate, path, contents);
            } else {
                Files.write(path, contents.computeIfAbsent(child, node1 -> content(node1, fate)));
            }
        }
    }

    private static byte[] content(Node file, Fate fate) {
        byte[] content = file.synced;
        for (Change change : file.changes) {
            if (!fate.kept()) {
                continue;
            }
            content = switch (change) {
                case Change.Length length -> Arrays.copyOf(content, length.lengthBytes());
                case Change.Write write -> written(content, write, fate);
            };
        }
        return content;
    }

    private static byte[] written(byte[] content, Change.Write write, Fate fate) {
        long firstSector = write.position() / SECTOR_BYTES;
        long end = write.position() + write.bytes().length;
        int sectors = (int) ((end + SECTOR_BYTES - 1) / SECTOR_BYTES - firstSector);
        int kept = fate.sectors(sectors);
        long from =
                kept < 0 ? Math.max(write.position(), (firstSector + sectors + kept) * SECTOR_BYTES) : write.position();
        long to = kept >= 0 ? Math.min(end, (firstSector + kept) * SECTOR_BYTES) : end;
        if (from >= to) {
            return content;
        }
        byte[] after = Arrays.copyOf(content, (int) Math.max(content.length, to));
        System.arraycopy(write.bytes(), (int) (from - write.position()), after, (int) from, (int) (to - from));
        return after;
    }

    /// Empties a folder that [#crash] has made.
    public static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
