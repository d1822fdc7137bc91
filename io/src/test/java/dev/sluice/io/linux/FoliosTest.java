package dev.sluice.io.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.view.MappedFile;
import dev.sluice.io.view.MappedFile.Mode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// In which pieces the page cache holds a file: every page is in one of them, once.
@Timeout(180)
class FoliosTest {
    @TempDir
    private Path folder;

    @Test
    @Tag("root")
    void everyMappedPageIsCountedOnce() throws Exception {
        Path file = Files.write(folder.resolve("file"), new byte[(64 << 10) + 1]);
        Kernel kernel = new Kernel();
        try (MappedFile mapped = MappedFile.open(kernel, file, Mode.READ, kernel.account())) {
            mapped.load(0, mapped.lengthBytes());
            TreeMap<Long, Long> folios = new TreeMap<>();
            // The map's last page has but one byte of the file; whole pages of the map are looked at.
            assertThat(mapped.folios(folios)).isEqualTo(16);
            assertThat(folios.entrySet().stream()
                            .mapToLong(folio -> folio.getKey() * folio.getValue())
                            .sum())
                    .isEqualTo(64 << 10);
        }
    }

    @Test
    void whoMayNotSeeItIsToldSo() throws Exception {
        Path file = Files.write(folder.resolve("file"), new byte[4096]);
        Kernel refusing = new Kernel((call, subject, _, length) ->
                call == Call.OPENAT && subject.contains("kpageflags") ? -Errno.EACCES : length);
        try (MappedFile mapped = MappedFile.open(refusing, file, Mode.READ, refusing.account())) {
            assertThat(mapped.folios(new TreeMap<>())).isEqualTo(-Errno.EACCES);
        }
    }
}
