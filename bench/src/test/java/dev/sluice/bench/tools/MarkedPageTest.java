package dev.sluice.bench.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class MarkedPageTest {
    private static final String PAGE = """
            before
            <!-- measured one -->
            old $1
            <!-- /measured -->
            between
            <!-- measured two -->
            <!-- /measured -->
            after
            """;

    @Test
    void onlyWhatStandsBetweenTheMarksIsReplaced() throws Exception {
        String filled = MarkedPage.filled(PAGE, "one", "new $1\n");

        assertThat(filled).isEqualTo(PAGE.replace("old $1\n", "\nnew $1\n\n"));
        assertThat(MarkedPage.filled(filled, "one", "new $1")).isEqualTo(filled);
    }

    @Test
    void aPageWithoutTheMarkIsRefused() {
        assertThatThrownBy(() -> MarkedPage.filled(PAGE, "three", "new")).hasMessageContaining("measured three");
    }
}
