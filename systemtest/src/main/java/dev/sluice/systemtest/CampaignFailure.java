package dev.sluice.systemtest;

import java.io.Serial;

/// Something that a campaign saw is not as it must be.
final class CampaignFailure extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    CampaignFailure(String message) {
        super(message);
    }

    static void require(boolean condition, String message) {
        if (!condition) {
            throw new CampaignFailure(message);
        }
    }
}
