package dev.sluice.log;

class PwriteSegmentWriterTest extends SegmentWriterContract {
    @Override
    SegmentWriter.Engine engine() {
        return SegmentWriter.pwrite();
    }
}
