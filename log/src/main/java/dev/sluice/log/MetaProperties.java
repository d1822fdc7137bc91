package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The file `meta.properties` of a data folder: whose it is.
///
/// ```
/// #
/// cluster.id=MkU3OEVBNTcwNTJENDM2Qk
/// directory.id=5dZ5pYJXQ0OZ8FdV7m2cWA
/// node.id=1
/// version=1
/// ```
///
/// @param directoryId the folder's own id
record MetaProperties(Identity identity, UUID directoryId) {
    static final String FILE = "meta.properties";

    private static final String VERSION = "1";

    /// What stands in the file, or empty where there is none.
    ///
    /// @param newId the folder's id if the file, written by an older Kafka, has none
    /// @throws LogDirectoryException.Foreign when the file is of another version, or says nothing that we
    ///     understand
    static Optional<MetaProperties> read(Kernel kernel, Path folder, UUID newId)
            throws ErrnoException, LogDirectoryException.Foreign {
        Path path = folder.resolve(FILE);
        byte @Nullable [] content = SmallFiles.read(kernel, path);
        if (content == null) {
            return Optional.empty();
        }
        Properties properties = new Properties();
        try {
            properties.load(new StringReader(new String(content, StandardCharsets.UTF_8)));
        } catch (IOException | IllegalArgumentException e) {
            throw new LogDirectoryException.Foreign(
                    path + " is no properties file; restore it, or start with an empty data folder");
        }
        String version = properties.getProperty("version");
        String clusterId = properties.getProperty("cluster.id");
        String nodeId = properties.getProperty("node.id");
        if (!VERSION.equals(version)) {
            throw new LogDirectoryException.Foreign(
                    path + " has version " + version + ", and this broker writes version " + VERSION
                            + "; start the broker that wrote it, or use an empty data folder");
        }
        if (clusterId == null || clusterId.isBlank() || nodeId == null || !nodeId.matches("[0-9]{1,9}")) {
            throw new LogDirectoryException.Foreign(
                    path + " lacks a cluster.id or a node.id; restore it, or start with an empty data folder");
        }
        String directoryId = properties.getProperty("directory.id");
        UUID id = directoryId == null ? newId : KafkaUuid.parse(directoryId.strip());
        if (id == null) {
            throw new LogDirectoryException.Foreign(
                    path + " has the directory.id '" + directoryId + "', which is none; restore the file");
        }
        return Optional.of(new MetaProperties(new Identity(clusterId.strip(), Integer.parseInt(nodeId)), id));
    }

    void write(Kernel kernel, Path folder) throws ErrnoException {
        String text = "#\ncluster.id=" + identity.clusterId() + "\ndirectory.id=" + KafkaUuid.format(directoryId)
                + "\nnode.id=" + identity.nodeId() + "\nversion=" + VERSION + "\n";
        SmallFiles.replace(kernel, folder.resolve(FILE), text.getBytes(StandardCharsets.UTF_8));
    }
}
