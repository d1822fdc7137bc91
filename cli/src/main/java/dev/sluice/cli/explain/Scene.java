package dev.sluice.cli.explain;

import dev.sluice.io.transfer.CopyModel.By;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.CopyModel.Place;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Where things stand in the picture, in cells: three lanes one below the other, as the literature draws them, and
/// three columns, from the source on the left to the sink on the right.
///
/// ```
///                 0              1              2
///   user                     buffer, map
///   kernel    page cache        pipe        socket queue, sink's page cache
///   devices   disk, card                    card, sink's disk
/// ```
record Scene(List<Box> boxes, List<Arrow> arrows) {
    private static final double LEAST_SHARE = 0.5;

    static final int LANES = 3;
    static final int COLUMNS = 3;
    static final int USER = 0;
    static final int KERNEL = 1;
    static final int DEVICES = 2;

    /// A place.
    ///
    /// @param used false for a place that bytes could have come from, and this time didn't
    record Box(String label, int column, int lane, boolean used) {}

    /// A move from one place to another, or within one.
    ///
    /// @param number as it is called in the list below, from 1
    record Arrow(int number, Box from, Box to, Hop hop) {
        By by() {
            return hop.by();
        }
    }

    /// @param interfaceName of the socket's way, for the card's label; empty for none
    static Scene of(List<Hop> hops, String interfaceName) {
        Map<Place, Box> boxes = new EnumMap<>(Place.class);
        List<Arrow> arrows = new ArrayList<>();
        boolean sourceIsCard = hops.getFirst().from() == Place.INTERFACE;
        if (hops.getFirst().from() == Place.PAGE_CACHE) {
            boxes.put(Place.SOURCE_DEVICE, new Box("disk", 0, DEVICES, false));
        }
        int number = 0;
        for (Hop hop : hops) {
            number++;
            if (hop.share() < LEAST_SHARE && hop.from() != Place.SOURCE_DEVICE) {
                continue; // the list tells of it
            }
            Box from = boxes.computeIfAbsent(hop.from(), place -> box(place, sourceIsCard, interfaceName));
            Box to = boxes.computeIfAbsent(hop.to(), place -> box(place, sourceIsCard, interfaceName));
            arrows.add(new Arrow(number, from, to, hop));
        }
        return new Scene(List.copyOf(boxes.values()), List.copyOf(arrows));
    }

    private static Box box(Place place, boolean sourceIsCard, String interfaceName) {
        return switch (place) {
            case SOURCE_DEVICE -> new Box("disk", 0, DEVICES, true);
            case PAGE_CACHE -> new Box("page cache", 0, KERNEL, true);
            case RECEIVE_QUEUE -> new Box("receive queue", 0, KERNEL, true);
            case BUFFER -> new Box("our buffer", 1, USER, true);
            case MAPPING -> new Box("our address space", 1, USER, true);
            case MEMORY -> new Box("caller's memory", 1, USER, true);
            case PIPE -> new Box("pipe", 1, KERNEL, true);
            case SEND_QUEUE -> new Box("send queue", 2, KERNEL, true);
            case SINK_PAGE_CACHE -> new Box("sink's page cache", 2, KERNEL, true);
            case SINK_DEVICE -> new Box("sink's disk", 2, DEVICES, true);
            case INTERFACE ->
                new Box(
                        interfaceName.isEmpty() ? "network interface" : "interface " + interfaceName,
                        sourceIsCard ? 0 : 2,
                        DEVICES,
                        true);
        };
    }
}
