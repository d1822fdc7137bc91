package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// What a block device says about itself: ioctl(2), linux/fs.h. Results are values ≥ 0 or −errno; −ENOTTY means that
/// the descriptor is no block device.
public final class BlockDevices {
    /// `_IO(0x12, 104)`: logical sector in bytes, an int.
    private static final long BLKSSZGET = 0x1268;
    /// `_IOR(0x12, 114, size_t)`: length in bytes, a u64.
    private static final long BLKGETSIZE64 = 0x8008_1272L;

    private static final MethodHandle IOCTL = Native.variadic(
            "ioctl", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_LONG, Native.C_POINTER), 2);

    private final Kernel kernel;

    BlockDevices(Kernel kernel) {
        this.kernel = kernel;
    }

    /// The device's length.
    public long sizeBytes(Descriptor device) {
        return ask(device, BLKGETSIZE64, 8);
    }

    /// The smallest unit that the device reads and writes.
    public long sectorBytes(Descriptor device) {
        return ask(device, BLKSSZGET, 4);
    }

    private long ask(Descriptor device, long request, int answerBytes) {
        long result = kernel.admit(Call.IOCTL, device);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment answer = arena.allocate(8, 8);
                result = Native.orErrno((int) IOCTL.invokeExact(captured, device.number(), request, answer), captured);
                if (result >= 0) {
                    result = answerBytes == 4
                            ? answer.get(ValueLayout.JAVA_INT, 0)
                            : answer.get(ValueLayout.JAVA_LONG, 0);
                }
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return device.account().record(Call.IOCTL, result, false);
    }
}
