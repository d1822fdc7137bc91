package dev.sluice.testbase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;
import org.junit.platform.testkit.engine.Events;

class RootConditionTest {
    @Test
    void skipsATestTaggedRootForAnOrdinaryUserAndSaysWhy() {
        Events tests = run(AsOrdinaryUser.class);

        assertThat(tests.skipped().map(RootConditionTest::reason)).containsExactly("needs root; running as uid 1000");
        assertThat(tests.succeeded().map(RootConditionTest::name)).containsExactly("forEverybody()");
    }

    @Test
    void runsEveryTestForRoot() {
        Events tests = run(AsRoot.class);

        assertThat(tests.skipped().count()).isZero();
        assertThat(tests.succeeded().map(RootConditionTest::name))
                .containsExactlyInAnyOrder("forRoot()", "forEverybody()");
    }

    /// Every module's `@Tag("root")` hangs on these two files: without one of them no test would be skipped.
    @Test
    void isFoundWithoutAWordInTheTest() throws IOException {
        Properties settings = new Properties();
        try (InputStream in = RootCondition.class.getResourceAsStream("/junit-platform.properties")) {
            settings.load(in);
        }

        assertThat(settings).containsEntry("junit.jupiter.extensions.autodetection.enabled", "true");
        assertThat(ServiceLoader.load(Extension.class)).hasAtLeastOneElementOfType(RootCondition.class);
    }

    private static Events run(Class<?> test) {
        return EngineTestKit.engine("junit-jupiter")
                .configurationParameter("junit.jupiter.extensions.autodetection.enabled", "false")
                .selectors(selectClass(test))
                .execute()
                .testEvents();
    }

    private static String reason(Event skipped) {
        return skipped.getPayload(String.class).orElseThrow();
    }

    private static String name(Event event) {
        return event.getTestDescriptor().getDisplayName();
    }

    static class AsOrdinaryUser extends Two {
        @RegisterExtension
        static final RootCondition CONDITION = new RootCondition(1000);
    }

    static class AsRoot extends Two {
        @RegisterExtension
        static final RootCondition CONDITION = new RootCondition(0);
    }

    abstract static class Two {
        @Test
        @Tag("root")
        void forRoot() {}

        @Test
        void forEverybody() {}
    }
}
