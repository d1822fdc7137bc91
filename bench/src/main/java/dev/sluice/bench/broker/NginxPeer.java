package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// nginx as a file server, one process, with sendfile on. A topic is a file; a fetch is a range of it.
record NginxPeer(Server server, Path files) implements Peer {
    static Peer start(String label, Path folder) throws IOException, InterruptedException {
        if (!Tools.isInstalled("nginx")) {
            throw new IOException("nginx is not installed (Debian: apt install nginx-light)");
        }
        int port = Peer.freePort();
        Path files = Files.createDirectories(folder.resolve("files"));
        Path conf = folder.resolve("nginx.conf").toAbsolutePath();
        Files.writeString(conf, """
                daemon off;
                master_process off;
                pid %1$s/nginx.pid;
                error_log stderr notice;
                events { worker_connections 1024; }
                http {
                    access_log off;
                    sendfile on;
                    tcp_nopush on;
                    keepalive_requests 1000000000;
                    client_body_temp_path %1$s/body;
                    proxy_temp_path %1$s/proxy;
                    fastcgi_temp_path %1$s/fastcgi;
                    uwsgi_temp_path %1$s/uwsgi;
                    scgi_temp_path %1$s/scgi;
                    server { listen 127.0.0.1:%2$d; root %3$s; }
                }
                """.formatted(folder.toAbsolutePath(), port, files.toAbsolutePath()));
        return new NginxPeer(
                Peer.start(label, List.of("nginx", "-c", conf.toString()), folder, port, "OS: Linux"), files);
    }

    /// The file itself is written by [#fill].
    @Override
    public void create(String topic, int partitions) {}

    void fill(String topic, long mebibytes) throws IOException {
        Filling.write(files.resolve(topic), mebibytes);
    }

    @Override
    public void delete(String topic) throws IOException {
        Files.deleteIfExists(files.resolve(topic));
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
