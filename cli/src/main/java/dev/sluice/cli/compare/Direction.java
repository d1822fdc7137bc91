package dev.sluice.cli.compare;

/// From what kind of end to what kind of end.
public enum Direction {
    FILE_TO_SOCKET("file → socket", "this process sends; a child process receives and checks"),
    SOCKET_TO_FILE("socket → file", "a child process sends; this process receives into a new file"),
    FILE_TO_FILE("file → file", "this process copies into a new file");

    private final String label;
    private final String roles;

    Direction(String label, String roles) {
        this.label = label;
        this.roles = roles;
    }

    public String label() {
        return label;
    }

    /// Who does what, in one line.
    public String roles() {
        return roles;
    }
}
