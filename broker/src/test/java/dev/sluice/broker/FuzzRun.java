package dev.sluice.broker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Runs Jazzer, a coverage-guided fuzzer, on [Fuzz] in a process of its own: it changes bytecode as classes are loaded.
final class FuzzRun {
    /// Jazzer's bug detectors for attacks that Java web servers suffer (scripts, SQL, outgoing connections…), which
    /// a broker under test would set off by what it is for.
    private static final List<String> DETECTORS = List.of(
            "BigDecimal",
            "ClojureLangHooks",
            "Deserialization",
            "ExpressionLanguageInjection",
            "FilePathTraversal",
            "LdapInjection",
            "NamingContextLookup",
            "OsCommandInjection",
            "ReflectiveCall",
            "RegexInjection",
            "RegexRoadblocks",
            "ScriptEngineInjection",
            "ServerSideRequestForgery",
            "SqlInjection",
            "TemplateInjection",
            "UnsafeSanitizer",
            "XPathInjection",
            "XmlParserSsrfGuidance");

    private static final int LARGEST_INPUT_BYTES = 4096;
    private static final int SLOWEST_INPUT_S = 240;
    private static final int MOST_RESIDENT_MIB = 4096;

    private FuzzRun() {}

    /// @param work    where findings go, and what leads to new coverage
    /// @param target  one of [Fuzz.Name] in small letters, or empty for all of them
    /// @param corpora where it begins
    /// @param limits  libFuzzer's options, such as `-runs=1000`
    static ProcessBuilder jazzer(Path work, String target, List<Path> corpora, String... limits) throws IOException {
        Path found = Files.createDirectories(work.resolve("corpus").toAbsolutePath());
        Path findings = Files.createDirectories(work.resolve("findings").toAbsolutePath());
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-ea",
                "-Xmx1g",
                "-XX:+UseSerialGC",
                "-XX:+EnableDynamicAgentLoading",
                "--enable-native-access=ALL-UNNAMED",
                "-Dslf4j.provider=" + ErrorWatch.class.getName(),
                "-Dslf4j.internal.verbosity=WARN",
                "-Dsluice.fuzz.target=" + target,
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + Fuzz.class.getName(),
                "--instrumentation_includes=dev.sluice.**",
                "--custom_hook_includes=dev.sluice.**",
                "--disabled_hooks="
                        + String.join(
                                ":",
                                DETECTORS.stream()
                                        .map(name -> "com.code_intelligence.jazzer.sanitizers." + name)
                                        .toList()),
                "--reproducer_path=" + findings,
                "-artifact_prefix=" + findings + "/",
                "-timeout=" + SLOWEST_INPUT_S,
                "-rss_limit_mb=" + MOST_RESIDENT_MIB,
                "-max_len=" + LARGEST_INPUT_BYTES,
                "-print_final_stats=1"));
        command.addAll(List.of(limits));
        command.add(found.toString());
        corpora.forEach(corpus -> command.add(corpus.toAbsolutePath().toString()));
        return new ProcessBuilder(command).directory(work.toFile()).redirectErrorStream(true);
    }

    /// The long form: one target for some minutes.
    ///
    /// @param args the root of the sources, where the work goes, a target, minutes
    public static void main(String[] args) throws IOException, InterruptedException {
        Path root = Path.of(args[0]);
        String target = args[2];
        Path work = Path.of(args[1]).resolve(target);
        Path seeds = work.resolve("seeds");
        Fuzz.main(new String[] {target, seeds.toString()});
        long seconds = Math.round(60 * Double.parseDouble(args[3]));
        int status = jazzer(
                        work,
                        target,
                        List.of(seeds, root.resolve("broker/src/test/fuzz").resolve(target)),
                        "-max_total_time=" + seconds)
                .inheritIO()
                .start()
                .waitFor();
        System.out.println(
                status == 0
                        ? "No findings; what led to new coverage is in " + work.resolve("corpus")
                        : "Findings are in " + work.resolve("findings") + "; a file there that is moved to"
                                + " broker/src/test/fuzz/" + target + " is replayed by FuzzTest");
        System.exit(status);
    }

    /// The inputs that the repository keeps for a target.
    static List<Path> kept(Path corpus) throws IOException {
        try (Stream<Path> files = Files.list(corpus)) {
            return files.sorted().toList();
        }
    }
}
