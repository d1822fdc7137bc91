package dev.sluice.bench.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class OptionsTest {
    private final List<String> given = new ArrayList<>();
    private final Options options = new Options("trial", "A trial.")
            .text("--work", "NAME", "may be given again", value -> given.add("work " + value))
            .number("--rounds", 1, "rounds", value -> given.add("rounds " + value))
            .flag("--touch", "touch", () -> given.add("touch"))
            .parameter("FILE", "a file", value -> given.add("file " + value))
            .parameters("MORE", "what is done to it", value -> given.add("more " + value));

    @Test
    void eachOptionSetsWhatItIsGiven() {
        assertThat(options.parse(List.of("--touch", "f", "--work", "a", "x", "--rounds", "3", "--work", "b", "y")))
                .isTrue();

        assertThat(given).containsExactly("work a", "work b", "rounds 3", "touch", "file f", "more x", "more y");
    }

    @Test
    void helpSetsNothing() {
        assertThat(options.parse(List.of("--work", "a", "--help"))).isFalse();
        assertThat(given).isEmpty();
    }

    @Test
    void wrongArgumentsAreTold() {
        assertThatThrownBy(() -> options.parse(List.of("f", "x", "--pace", "1")))
                .hasMessageContaining("--pace");
        assertThatThrownBy(() -> options.parse(List.of("f", "x", "--rounds"))).hasMessageContaining("--rounds");
        assertThatThrownBy(() -> options.parse(List.of("f", "x", "--rounds", "0")))
                .hasMessage("--rounds wants a number from 1 to 2147483647, not 0");
        assertThatThrownBy(() -> options.parse(List.of("f"))).hasMessageContaining("MORE");
    }
}
