package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Ratios;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// A point of a curve, measured.
///
/// @param figures by the key of their column: one a run, or one alone
record GrowthPoint(long x, Map<String, double[]> figures) {
    /// @param memory resident and anonymous MiB
    static GrowthPoint of(long x, List<Run> runs, long[] memory) {
        Map<String, double[]> figures = new LinkedHashMap<>();
        figures.put("microsecondsARequest", all(runs, run -> run.cost(Work.Unit.REQUEST)));
        figures.put("secondsAGib", all(runs, run -> run.cost(Work.Unit.GIB)));
        figures.put("requestsASecond", all(runs, run -> run.rate(Work.Unit.REQUEST)));
        figures.put("p99Ms", all(runs, run -> run.field("p99Ms")));
        figures.put("residentMib", new double[] {memory[0]});
        figures.put("anonymousMib", new double[] {memory[1]});
        return new GrowthPoint(x, figures);
    }

    static double[] all(List<Run> runs, ToDoubleFunction<Run> figure) {
        return runs.stream().mapToDouble(figure).toArray();
    }

    double[] of(String key) {
        return figures.getOrDefault(key, new double[] {Double.NaN});
    }

    double median(String key) {
        return Ratios.median(of(key));
    }
}
