package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class NextPlacesTest {
    private final NextPlaces places = new NextPlaces();

    @Test
    void nothingIsKnownAtFirst() {
        for (long offset = 0; offset < 1000; offset++) {
            assertThat(places.find(offset)).isNegative();
        }
    }

    @Test
    void aPlaceIsFoundByItsOffsetAlone() {
        places.add(Integer.MAX_VALUE, Integer.MAX_VALUE);
        places.add(7, 700);

        assertThat(places.find(7)).isEqualTo(700);
        assertThat(places.find(6)).isNegative();
        assertThat(places.find(Integer.MAX_VALUE)).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void placesThatShareASlotAreForgottenNotMistaken() {
        int remembered = 0;
        for (int offset = 0; offset < 1000; offset++) {
            places.add(offset, 10 * offset);
        }
        for (int offset = 0; offset < 1000; offset++) {
            int position = places.find(offset);
            assertThat(position).isIn(-1, 10 * offset);
            remembered += position >= 0 ? 1 : 0;
        }
        assertThat(remembered).isPositive();
    }
}
