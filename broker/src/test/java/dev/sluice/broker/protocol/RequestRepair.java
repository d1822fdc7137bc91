package dev.sluice.broker.protocol;

import dev.sluice.testkit.Batches;
import java.lang.foreign.MemorySegment;

/// Mends what chance can't: the CRCs of the batches in a Produce request, so that what is damaged behind them is looked
/// at.
public final class RequestRepair {
    private RequestRepair() {}

    /// @param frame a request behind its size; whatever it is, only CRCs of batches in it change
    public static void mendCrcs(byte[] frame) {
        WireReader reader = new WireReader().over(MemorySegment.ofArray(frame), 0, frame.length);
        RequestHead head = new RequestHead();
        try {
            head.parse(reader);
            if (head.apiKey() != ApiHeaders.PRODUCE) {
                return;
            }
            ProduceRequest request = new ProduceRequest(new NameCache(16));
            request.wrap(reader, head.apiVersion());
            while (request.nextTopic()) {
                while (request.nextPartition()) {
                    int from = Math.toIntExact(request.recordsPosition());
                    Batches.mendCrcs(frame, from, from + Math.max(0, request.recordsLengthBytes()));
                }
            }
        } catch (MalformedRequestException e) {
            // Then it has no batches that anybody looks at.
        }
    }
}
