// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// A counter of rain that yields depths: what it feeds, and what a difference of its readings stands for.
struct RainCounter: Sendable {
    /// What the counter reports: millimetres since it was set up, or since its last reset.
    static let metric = "rainfall_accumulated_millimeters"
    /// What it yields: millimetres in the interval that ends at the timestamp.
    static let depthMetric = "rainfall_millimeters"

    /// The series of the depths.
    let depth: SeriesKey
    /// The tests of the depths; nil where none is made.
    let quality: SeriesTests?
    /// A difference over more than this is a total over a gap (`gap_total`); 0 where it is not known how often the
    /// counter reports.
    private let gap: Milliseconds

    init(depth: SeriesKey, schedule: ReportSchedule?, quality: SeriesTests? = nil) {
        self.depth = depth
        self.quality = quality
        self.gap =
            switch schedule {
            case .periodic(let span), .event(let span): span * 3 / 2
            case nil: 0
            }
    }

    /// The labels of the depths that a counter with these labels yields.
    static func depthLabels(_ counter: Labels) -> Labels {
        counter.with(Labels.metricName, self.depthMetric)
    }

    /// What fell between two readings.
    ///
    /// A counter that fell was set to zero in between: what it shows now fell since then. The first reading of all
    /// gives 0: from it on depths are known.
    ///
    /// What fell while work was done on the device (`work`), or across its beginning or end, may be test water and is of
    /// quality 9.
    func depth(from before: Sample?, to sample: Sample, work: [Outages.Span] = []) -> Sample {
        let marks = [sample.mark] + (before.map { [$0.mark] } ?? [])
        // With the test that the counter's reading failed.
        let doubt = marks.first { $0.quality == .suspect }
        var mark = SampleMark(
            quality: .notEvaluated,
            method: sample.mark.method,
            simulated: sample.mark.isSimulated
        )
        if let doubt { mark = mark.withQuality(of: doubt) }
        let isOfWork = work.contains { span in
            span.touches(sample.time, standingFor: before.map { sample.time - $0.time } ?? 0)
        }
        if isOfWork {
            mark = SampleMark(quality: .missing, method: mark.method, simulated: mark.isSimulated)
        }
        guard let before else { return Sample(time: sample.time, value: 0, mark: mark) }
        let difference = sample.value - before.value
        let depth = ((difference < 0 ? sample.value : difference) * 1e9).rounded() / 1e9
        let span = sample.time - before.time
        if isOfWork { return Sample(time: sample.time, value: depth, mark: mark) }
        var quality = mark
        if depth > RainCounter.record(over: span) { quality = SampleMark(failed: .grossRange) }
        if depth > MetricName.physicalRange(of: RainCounter.depthMetric).upperBound {
            quality = SampleMark(quality: .fail)
        }
        mark = SampleMark(
            quality: .notEvaluated,
            method: span > self.gap ? .gapTotal : mark.method,
            simulated: mark.isSimulated
        )
        .withQuality(of: quality)
        return Sample(time: sample.time, value: depth, mark: mark)
    }

    /// The deepest rain ever measured anywhere over a span, in millimetres: 422 mm × hours to the power of 0.475.
    ///
    /// Source: WMO-No. 1045, "Manual on Estimation of Probable Maximum Precipitation", envelope of the world's records.
    static func record(over span: Milliseconds) -> Double {
        422 * pow(Double(max(span, .minute)) / Double(Milliseconds.hour), 0.475)
    }
}
