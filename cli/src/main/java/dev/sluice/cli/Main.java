package dev.sluice.cli;

/// Entry point of the `sluice` command.
public final class Main {
    private static final int EXIT_USAGE = 2;

    private Main() {}

    public static void main(String[] arguments) {
        System.err.println("Usage: sluice COMMAND [OPTION]...");
        System.exit(EXIT_USAGE);
    }
}
