package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.testbase.Example;
import dev.sluice.testbase.RequiresProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Projects that are none of ours: the programs of docs/EXAMPLES.md, built by Maven against the artifacts `sluice-io`
/// and `sluice-netty` as they are installed, into a repository of this test's own. Users of the library get its jar and
/// no other; users of Netty get the adapter, the library, and Netty's own.
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@RequiresProgram("mvn")
class OutsideProjectTest {
    private static final String INSTALL = "org.apache.maven.plugins:maven-install-plugin:3.2.0:install-file";
    private static final String CLASS_PATH = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:build-classpath";

    @TempDir
    Path folder;

    private final Path root = Path.of("..").toAbsolutePath().normalize();

    @Test
    void buildsAgainstTheInstalledArtifactsWhichBringNothingElse() throws Exception {
        Path jar = jar("io");
        Path adapter = jar("netty");
        Path shared = Path.of(System.getProperty("user.home"), ".m2", "repository");
        assumeTrue(Files.isDirectory(shared), "no local Maven repository at " + shared);
        Path installed = folder.resolve("installed");
        install(installed, root.resolve("pom.xml"), root.resolve("pom.xml"), "-Dpackaging=pom");
        install(installed, jar, root.resolve("io/pom.xml"));
        install(installed, adapter, root.resolve("netty/pom.xml"));

        Path projects = Files.createDirectory(folder.resolve("projects"));
        Files.writeString(projects.resolve("pom.xml"), """
                <project xmlns="http://maven.apache.org/POM/4.0.0">
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>org.example</groupId><artifactId>outside</artifactId><version>1</version>
                  <packaging>pom</packaging>
                  <modules><module>sluice-io</module><module>sluice-netty</module></modules>
                </project>
                """);
        List<Example> examples = Example.all(root);
        Path user = project(
                projects,
                "sluice-io",
                examples.stream().filter(example -> !example.needsNetty()).toList());
        Path nettyUser = project(
                projects,
                "sluice-netty",
                examples.stream().filter(Example::needsNetty).toList());
        mvn(
                "-f",
                projects.resolve("pom.xml").toString(),
                "-s",
                settings(shared, installed).toString(),
                "-Dmaven.repo.local=" + folder.resolve("local"),
                "compile",
                CLASS_PATH,
                "-Dmdep.outputFile=classpath");

        String dependencies = Files.readString(user.resolve("classpath")).strip();
        assertThat(dependencies).doesNotContain(":").endsWith(jar.getFileName().toString());
        assertThat(run(user, dependencies, "CopyAFile")).contains("1000000 bytes; same: true");
        String nettys = Files.readString(nettyUser.resolve("classpath")).strip();
        assertThat(nettys.split(":")).allMatch(path -> path.matches(".*/(sluice-(io|netty)|netty-[^/]*)-[0-9][^/]*"));
        assertThat(run(nettyUser, nettys, "ThroughNetty")).contains("numbers: two three");
    }

    private String run(Path project, String dependencies, String main) throws Exception {
        return run(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                dependencies + ":" + project.resolve("target/classes"),
                main,
                Files.createDirectory(folder.resolve("scratch-of-" + main)).toString());
    }

    private Path jar(String module) throws IOException {
        Path target = root.resolve(module).resolve("target");
        List<Path> jars = List.of();
        if (Files.isDirectory(target)) {
            try (Stream<Path> files = Files.list(target)) {
                jars = files.filter(file -> file.getFileName()
                                .toString()
                                .matches("sluice-" + module + "-[0-9].*(?<!sources|javadoc)\\.jar"))
                        .toList();
            }
        }
        assumeTrue(jars.size() == 1, module + " is not packaged; bin/verify packages it");
        return jars.getFirst();
    }

    private void install(Path into, Path file, Path pom, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(
                List.of(INSTALL, "-Dfile=" + file, "-DpomFile=" + pom, "-DlocalRepositoryPath=" + into));
        arguments.addAll(List.of(more));
        mvn(arguments.toArray(String[]::new));
    }

    /// Everything but our own artifact comes from what this machine has already.
    private Path settings(Path shared, Path installed) throws IOException {
        return Files.writeString(folder.resolve("settings.xml"), """
                <settings>
                  <mirrors><mirror><id>here</id><mirrorOf>*,!scratch</mirrorOf><url>%s</url></mirror></mirrors>
                  <profiles><profile><id>scratch</id><repositories><repository><id>scratch</id><url>%s</url>
                    <snapshots><enabled>true</enabled></snapshots></repository></repositories></profile></profiles>
                  <activeProfiles><activeProfile>scratch</activeProfile></activeProfiles>
                </settings>
                """.formatted(shared.toUri(), installed.toUri()));
    }

    private Path project(Path in, String artifact, List<Example> examples) throws IOException {
        Path project = Files.createDirectories(in.resolve(artifact));
        Files.writeString(project.resolve("pom.xml"), """
                <project xmlns="http://maven.apache.org/POM/4.0.0">
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>org.example</groupId><artifactId>user-of-%1$s</artifactId><version>1</version>
                  <properties>
                    <maven.compiler.release>25</maven.compiler.release>
                    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
                  </properties>
                  <dependencies><dependency>
                    <groupId>dev.sluice</groupId><artifactId>%1$s</artifactId><version>%2$s</version>
                  </dependency></dependencies>
                  <build><plugins>
                    <plugin><artifactId>maven-resources-plugin</artifactId><version>3.5.0</version></plugin>
                    <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.16.0</version></plugin>
                  </plugins></build>
                </project>
                """.formatted(artifact, version()));
        Path sources = Files.createDirectories(project.resolve("src/main/java"));
        assertThat(examples).isNotEmpty();
        for (Example example : examples) {
            Files.writeString(sources.resolve(example.name() + ".java"), example.source());
        }
        return project;
    }

    private String version() throws IOException {
        Matcher version =
                Pattern.compile("<version>([^<]+)</version>").matcher(Files.readString(root.resolve("pom.xml")));
        assertThat(version.find()).isTrue();
        return version.group(1);
    }

    private void mvn(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("mvn", "-q", "-B"));
        command.addAll(List.of(arguments));
        run(command.toArray(String[]::new));
    }

    private String run(String... command) throws Exception {
        Path output = folder.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        int status = builder.start().waitFor();
        String printed = Files.readString(output);
        assertThat(status).as(String.join(" ", command) + "\n" + printed).isZero();
        return printed;
    }
}
