package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

class BrokerArgumentsTest {
    /// Pieces of command lines, good and bad.
    private static final String[] WORDS = {
        "--data",
        "/d",
        "--data=/x",
        "--listen",
        "0.0.0.0:1",
        "--listen=[::1]:0",
        "--config",
        "f.properties",
        "--set",
        "a=b",
        "--set=a=b",
        "--set=a=b=c",
        "-v",
        "--verbose",
        "--help",
        "-h",
        "--unknown",
        "word",
        "",
        "-",
        "--",
        "--data=",
        "-vh",
        "@file",
        "--dat",
        "--set=x y"
    };

    @Test
    void plainLinesAreReadWithoutPicocli() {
        assertThat(BrokerArguments.plain(List.of())).isEqualTo(new BrokerArguments(null, null, null, List.of(), false));
        assertThat(BrokerArguments.plain(
                        List.of("--data", "/d", "--listen=h:1", "--set", "a=1", "--config", "f", "--set=b=2", "-v")))
                .isEqualTo(new BrokerArguments("/d", "h:1", "f", List.of("a=1", "b=2"), true));
    }

    @Test
    void whatNeedsHelpOrAnExplanationIsLeftToPicocli() {
        assertThat(BrokerArguments.plain(List.of("--help"))).isNull();
        assertThat(BrokerArguments.plain(List.of("--data"))).isNull();
        assertThat(BrokerArguments.plain(List.of("--data", "--listen", "h:1"))).isNull();
        assertThat(BrokerArguments.plain(List.of("--data", "a", "--data", "b"))).isNull();
        assertThat(BrokerArguments.plain(List.of("--dta", "a"))).isNull();
        assertThat(BrokerArguments.plain(List.of("word"))).isNull();
    }

    /// Wherever the short way answers, picocli gives the same answer.
    @Test
    void agreesWithPicocliOnEveryLineItReads() {
        int plainLines = 0;
        for (long seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            List<String> arguments = new ArrayList<>();
            for (int i = random.nextInt(7); i > 0; i--) {
                arguments.add(WORDS[random.nextInt(WORDS.length)]);
            }
            BrokerArguments plain = BrokerArguments.plain(arguments);
            if (plain != null) {
                plainLines++;
                assertThat(plain).as("seed %d: %s", seed, arguments).isEqualTo(byPicocli(arguments));
            }
        }
        assertThat(plainLines).as("lines compared").isGreaterThan(1_000);
    }

    private static BrokerArguments byPicocli(List<String> arguments) {
        try {
            CommandLine line = new CommandLine(new BrokerCommand().spec()).setExpandAtFiles(false);
            return BrokerArguments.from(line.parseArgs(arguments.toArray(String[]::new)));
        } catch (ParameterException e) {
            throw new AssertionError("picocli refuses " + arguments, e);
        }
    }
}
