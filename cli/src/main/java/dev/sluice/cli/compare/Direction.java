package dev.sluice.cli.compare;

/// From what kind of end to what kind of end.
public enum Direction {
    FILE_TO_SOCKET("file → socket", "this process sends; the other side receives and checks"),
    SOCKET_TO_FILE("socket → file", "the other side sends; this process receives into a new file"),
    FILE_TO_FILE("file → file", "this process copies into a new file"),
    FILE_TO_MEMORY(
            "file → memory",
            "this process reads, from the page cache, or from the device itself where it says direct; checked in the unmeasured runs, only counted in the others"),
    MEMORY_TO_FILE("memory → file", "this process writes a new file and forces it to the device");

    private final String label;
    private final String roles;

    Direction(String label, String roles) {
        this.label = label;
        this.roles = roles;
    }

    public String label() {
        return label;
    }

    boolean readsFile() {
        return this != SOCKET_TO_FILE && this != MEMORY_TO_FILE;
    }

    boolean writesFile() {
        return this == SOCKET_TO_FILE || this == FILE_TO_FILE || this == MEMORY_TO_FILE;
    }

    /// Who does what, in one line.
    public String roles() {
        return roles;
    }
}
