package dev.sluice.log;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What tests of a log in a data folder begin and end with: a folder of their own, in which they leave no descriptor
/// and no map.
abstract class FolderTest {
    @TempDir
    Path temporary;

    Folder folder;

    @BeforeEach
    final void aFolder() {
        folder = new Folder(temporary.resolve("data"));
    }

    @AfterEach
    final void nothingLeft() throws IOException {
        folder.close();
    }
}
