package dev.sluice.bench.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RatiosTest {
    @Test
    void aRatioIsOfThePairAndNotOfTheMedians() {
        // The machine was ten times slower in the last pairs; each pair's ratio stays 1.1.
        Ratios ratios = Ratios.of(new double[] {1.1, 11, 110}, new double[] {1, 10, 100});

        assertThat(ratios.median()).isCloseTo(1.1, within(1e-9));
        assertThat(ratios.low()).isCloseTo(1.1, within(1e-9));
        assertThat(ratios.high()).isCloseTo(1.1, within(1e-9));
    }

    @Test
    void theIntervalLeavesOutASingleOutlierAndTheRangeShowsIt() {
        Ratios ratios = Ratios.of(
                new double[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9}, new double[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});

        assertThat(ratios.median()).isEqualTo(1);
        assertThat(ratios.high()).isEqualTo(1);
        assertThat(ratios.most()).isEqualTo(9);
    }

    @Test
    void theIntervalOfScatteredPairsHoldsTheMedianAndHasWidth() {
        Ratios ratios = Ratios.of(new double[] {0.8, 0.9, 1, 1.1, 1.2, 1.3}, new double[] {1, 1, 1, 1, 1, 1});

        assertThat(ratios.median()).isCloseTo(1.05, within(1e-9));
        assertThat(ratios.low()).isBetween(0.8, 1.0);
        assertThat(ratios.high()).isBetween(1.1, 1.3);
    }

    @Test
    void figuresWithoutAPartnerAreRefused() {
        assertThatThrownBy(() -> Ratios.of(new double[] {1, 2}, new double[] {1}))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
