package dev.sluice.bench.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.bench.tools.Tools;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The load program as a client of nginx, in small: right counts, no times.
@Timeout(180)
class NginxPeerTest {
    @TempDir
    Path folder;

    @Test
    void rangesOfAFileAreFetched() throws Exception {
        assumeTrue(Tools.isInstalled("gcc") && Tools.isInstalled("nginx"), "gcc and nginx are not both installed");
        Path load = Tools.compile(Path.of("src", "main", "c"), folder, "load");
        try (NginxPeer nginx = (NginxPeer) NginxPeer.start("nginx", folder.resolve("nginx"))) {
            nginx.fill("file", 2);
            String port = Integer.toString(nginx.server().port());

            Tools.Ended ended = Tools.run(
                    List.of(load.toString(), "fetch", port, "file", "protocol=http", "max=65536", "requests=40"));

            assertThat(ended.exitCode()).as(ended.output()).isZero();
            assertThat(Figures.parse(ended.output()).get("payloadBytes")).isEqualTo(40 * 65536);
            Tools.Ended missing = Tools.run(
                    List.of(load.toString(), "fetch", port, "other", "protocol=http", "max=65536", "requests=1"));
            assertThat(missing.exitCode()).isEqualTo(1);
            assertThat(missing.output()).contains("404");
        }
    }
}
