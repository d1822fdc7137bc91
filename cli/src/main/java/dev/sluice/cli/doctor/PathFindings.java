package dev.sluice.cli.doctor;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Leases;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.view.MappedFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/// A path's file system: its type, and by trying, shared extents, direct I/O, leases.
final class PathFindings {
    /// linux/magic.h, and those of file systems that keep theirs to themselves.
    private static final Map<Long, String> TYPES = Map.ofEntries(
            Map.entry(0xEF53L, "ext4"),
            Map.entry(0x58465342L, "xfs"),
            Map.entry(0x9123683EL, "btrfs"),
            Map.entry(0xCA451A4EL, "bcachefs"),
            Map.entry(0x2FC12FC1L, "zfs"),
            Map.entry(0xF2F52010L, "f2fs"),
            Map.entry(0x01021994L, "tmpfs"),
            Map.entry(0x794C7630L, "overlayfs"),
            Map.entry(0x65735546L, "fuse"),
            Map.entry(0x6969L, "nfs"),
            Map.entry(0xFF534D42L, "cifs"),
            Map.entry(0xFE534D42L, "smb"),
            Map.entry(0x01021997L, "9p"));

    private static final long TMPFS = 0x01021994L;

    private static final int FOLIO_FILE_BYTES = 1 << 20;

    private final Kernel kernel;
    private final Account account = Account.root("doctor");
    private final Path path;
    private final List<Finding> findings = new ArrayList<>();

    private PathFindings(Kernel kernel, Path path) {
        this.kernel = kernel;
        this.path = path;
    }

    static List<Finding> of(Kernel kernel, Path path) {
        PathFindings of = new PathFindings(kernel, path);
        of.look();
        return of.findings;
    }

    private String what(String of) {
        return path + ": " + of;
    }

    private void look() {
        Path folder = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
        if (folder == null || !Files.exists(path)) {
            findings.add(Finding.unknown(what("file system"), "no such path", "name a folder or file that exists"));
            return;
        }
        try (Descriptor open = kernel.files()
                .open(folder, dev.sluice.io.linux.Files.O_RDONLY, 0, account)
                .orThrow()) {
            fileSystem(kernel.files().system(open));
        } catch (ErrnoException e) {
            findings.add(Finding.unknown(what("file system"), e.getMessage(), "look at it as a user who may"));
            return;
        }
        try {
            tryOut(folder);
        } catch (IOException e) {
            findings.add(Finding.unknown(
                    what("trial"),
                    "can't be written to",
                    "run as a user who may, to try direct I/O, clones and leases"));
        }
    }

    private void fileSystem(dev.sluice.io.linux.Files.FileSystem system) {
        String name = TYPES.getOrDefault(
                system.type(), "type 0x" + HexFormat.of().withUpperCase().toHexDigits((int) system.type()));
        if (system.isRemote()) {
            findings.add(
                    Finding.change(
                            what("file system"),
                            name,
                            "keep a log on a local file system: its locks, its flushes and what survives a crash are the server's"));
        } else if (system.type() == TMPFS) {
            findings.add(Finding.change(
                    what("file system"), name, "it is memory: nothing survives a restart of the machine"));
        } else {
            findings.add(Finding.good(what("file system"), name, "local"));
        }
    }

    private void tryOut(Path folder) throws IOException {
        Path first = Files.createTempFile(folder, ".sluice-doctor", null);
        try {
            write(first);
            Path second = Files.createTempFile(folder, ".sluice-doctor", null);
            try {
                clones(first, second);
            } finally {
                Files.delete(second);
            }
            try (Descriptor file = kernel.files()
                    .open(first, dev.sluice.io.linux.Files.O_RDONLY, 0, account)
                    .orThrow()) {
                FileStatus status = kernel.files().status(file);
                findings.add(direct(what("direct I/O"), status));
                findings.add(polled(what("completions"), queue(status.device())));
                findings.add(lease(what("lease"), kernel.leases().take(file, Leases.F_RDLCK, Leases.SIGURG)));
            }
            findings.add(folios(first));
        } finally {
            Files.delete(first);
        }
    }

    /// With one call: what the page cache makes of it depends on how much it gets at once.
    private void write(Path file) throws ErrnoException {
        try (Arena arena = Arena.ofConfined();
                Descriptor open = kernel.files()
                        .open(file, dev.sluice.io.linux.Files.O_WRONLY, 0, account)
                        .orThrow()) {
            ErrnoException.check(
                    kernel.files().pwriteFully(open, arena.allocate(FOLIO_FILE_BYTES), 0), Call.PWRITE, open.name());
        }
    }

    /// Of the device's queue; a partition has that of its disk.
    private static Path queue(long device) {
        Path block = Path.of("/sys/dev/block/" + (device >>> 32) + ":" + (int) device);
        Path own = block.resolve("queue");
        return Files.exists(own) ? own : block.resolve("../queue");
    }

    static Finding polled(String what, Path queue) {
        OptionalLong polled = ProcFile.number(queue.resolve("io_poll"));
        if (polled.isEmpty()) {
            return Finding.unknown(what, "not told", "no single block device is below this file system");
        }
        return polled.getAsLong() == 1
                ? Finding.good(
                        what, "by interrupt, or polled", "QueueConfig.polling() asks the device instead of waiting")
                : Finding.absent(
                        what,
                        "by interrupt",
                        "only devices with polled queues, such as NVMe with poll_queues=, are polled");
    }

    /// In which pieces the page cache holds what one large write brought.
    private Finding folios(Path written) {
        SortedMap<Long, Long> folios = new TreeMap<>();
        long seen;
        try (MappedFile mapped = MappedFile.open(kernel, written, MappedFile.Mode.READ, account)) {
            mapped.load(0, mapped.lengthBytes());
            seen = mapped.folios(folios);
        } catch (IOException e) {
            return Finding.unknown(what("folios"), String.valueOf(e.getMessage()), "look as a user who may");
        }
        return folios(what("folios"), seen, folios);
    }

    static Finding folios(String what, long seen, SortedMap<Long, Long> folios) {
        if (seen <= 0 || folios.isEmpty()) {
            return Finding.unknown(
                    what, "not shown", "root sees in which pieces the page cache holds a file (/proc/kpageflags)");
        }
        long largest = folios.lastKey();
        String found = "up to " + (largest >> 10) + " KiB, "
                + folios.values().stream().mapToLong(Long::longValue).sum() + " for " + (FOLIO_FILE_BYTES >> 10)
                + " KiB";
        return largest > Mappings.PAGE_BYTES
                ? Finding.good(what, found, "a large write gets large folios: less to do for each byte")
                : Finding.absent(what, found, "single pages: each costs a look-up and a lock of its own");
    }

    private void clones(Path first, Path second) throws ErrnoException {
        try (Descriptor source = kernel.files()
                        .open(first, dev.sluice.io.linux.Files.O_RDONLY, 0, account)
                        .orThrow();
                Descriptor sink = kernel.files()
                        .open(second, dev.sluice.io.linux.Files.O_WRONLY, 0, account)
                        .orThrow()) {
            findings.add(clone(what("shared extents"), kernel.fileCopies().cloneWhole(source, sink)));
        }
    }

    static Finding clone(String what, long result) {
        return switch ((int) -result) {
            case 0 -> Finding.good(what, "works", "copies and snapshots share their bytes (reflink)");
            case Errno.EOPNOTSUPP, Errno.ENOTTY, Errno.ENOSYS ->
                Finding.absent(what, "not offered", "copies copy; xfs and btrfs share");
            default -> Finding.unknown(what, Errno.describe((int) -result), "copies copy");
        };
    }

    static Finding direct(String what, FileStatus status) {
        if (!status.isDirectKnown()) {
            return Finding.unknown(what, "not told (before Linux 6.1)", "4096 bytes is the alignment that is tried");
        }
        return status.directPositionAlign() == 0
                ? Finding.absent(what, "not offered", "files go through the page cache")
                : Finding.good(
                        what,
                        "memory aligned to " + status.directMemoryAlign() + " B, positions to "
                                + status.directPositionAlign() + " B",
                        "the engine `direct` can write there");
    }

    static Finding lease(String what, long result) {
        return result >= 0
                ? Finding.good(what, "works", "maps can be guarded against truncation")
                : Finding.absent(what, Errno.describe((int) -result), "maps there can't be guarded against truncation");
    }
}
