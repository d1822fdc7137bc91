package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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

/// A project that is none of ours: the programs of docs/EXAMPLES.md, built by Maven against the artifact `sluice-io` as
/// it is installed, into a repository of this test's own. It gets that jar and no other.
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@RequiresProgram("mvn")
class OutsideProjectTest {
    private static final String INSTALL = "org.apache.maven.plugins:maven-install-plugin:3.2.0:install-file";
    private static final String CLASS_PATH = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:build-classpath";
    private static final Pattern EXAMPLE = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("^class (\\w+)", Pattern.MULTILINE);

    @TempDir
    Path folder;

    private final Path root = Path.of("..").toAbsolutePath().normalize();

    @Test
    void buildsAgainstTheInstalledArtifactWhichBringsNothingElse() throws Exception {
        Path jar = jar();
        Path shared = Path.of(System.getProperty("user.home"), ".m2", "repository");
        assumeTrue(Files.isDirectory(shared), "no local Maven repository at " + shared);
        Path installed = folder.resolve("installed");
        install(installed, root.resolve("pom.xml"), root.resolve("pom.xml"), "-Dpackaging=pom");
        install(installed, jar, root.resolve("io/pom.xml"));

        Path project = project();
        Path settings = settings(shared, installed);
        Path classPath = project.resolve("classpath");
        mvn(
                "-f",
                project.resolve("pom.xml").toString(),
                "-s",
                settings.toString(),
                "-Dmaven.repo.local=" + folder.resolve("local"),
                "compile",
                CLASS_PATH,
                "-Dmdep.outputFile=" + classPath);

        String dependencies = Files.readString(classPath).strip();
        assertThat(dependencies).doesNotContain(":").endsWith(jar.getFileName().toString());
        String printed = run(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                dependencies + ":" + project.resolve("target/classes"),
                "CopyAFile",
                Files.createDirectory(folder.resolve("scratch")).toString());
        assertThat(printed).contains("1000000 bytes; same: true");
    }

    private Path jar() throws IOException {
        Path target = root.resolve("io/target");
        List<Path> jars = List.of();
        if (Files.isDirectory(target)) {
            try (Stream<Path> files = Files.list(target)) {
                jars = files.filter(file ->
                                file.getFileName().toString().matches("sluice-io-[0-9].*(?<!sources|javadoc)\\.jar"))
                        .toList();
            }
        }
        assumeTrue(jars.size() == 1, "io is not packaged; bin/verify packages it");
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

    private Path project() throws IOException {
        Path project = Files.createDirectories(folder.resolve("project"));
        Files.writeString(project.resolve("pom.xml"), """
                <project xmlns="http://maven.apache.org/POM/4.0.0">
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>org.example</groupId><artifactId>outside</artifactId><version>1</version>
                  <properties>
                    <maven.compiler.release>25</maven.compiler.release>
                    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
                  </properties>
                  <dependencies><dependency>
                    <groupId>dev.sluice</groupId><artifactId>sluice-io</artifactId><version>%s</version>
                  </dependency></dependencies>
                  <build><plugins>
                    <plugin><artifactId>maven-resources-plugin</artifactId><version>3.5.0</version></plugin>
                    <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.16.0</version></plugin>
                  </plugins></build>
                </project>
                """.formatted(version()));
        Path sources = Files.createDirectories(project.resolve("src/main/java"));
        Matcher example = EXAMPLE.matcher(Files.readString(root.resolve("docs/EXAMPLES.md")));
        while (example.find()) {
            Matcher name = CLASS.matcher(example.group(1));
            assertThat(name.find()).isTrue();
            Files.writeString(sources.resolve(name.group(1) + ".java"), example.group(1));
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
