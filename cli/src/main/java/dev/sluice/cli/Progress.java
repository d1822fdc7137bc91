package dev.sluice.cli;

/// Shows how far a command is. Used by one thread.
interface Progress extends AutoCloseable {
    /// Shows nothing: nobody watches.
    Progress NONE = new Progress() {
        @Override
        public void advance(long bytes) {
            // Nobody watches.
        }

        @Override
        public void close() {
            // Nothing to wipe.
        }
    };

    /// Called for every record; must cost next to nothing.
    void advance(long bytes);

    /// Takes the progress off the screen.
    @Override
    void close();
}
