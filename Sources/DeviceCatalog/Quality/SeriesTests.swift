// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The tests of one series at its site, with what they remember.
///
/// An object, so that the plan of a channel is handed around for one reference.
final class SeriesTests: Sendable {
    let plan: QualityPlan
    let track: QualityTrack

    init(_ plan: QualityPlan, _ track: QualityTrack) {
        self.plan = plan
        self.track = track
    }

    /// Nil where nothing is tested.
    ///
    /// - Parameters:
    ///   - model: What the channel's model says.
    ///   - metric: Of the series.
    ///   - series: Its key in `keys`.
    ///   - schedule: How often it reports.
    ///   - overrides: What the site says, by metric.
    ///   - keys: Where what the tests remember outlives a reload.
    init?(
        _ model: QualityParameters? = nil,
        metric: String,
        series: SeriesKey,
        _ schedule: ReportSchedule?,
        _ overrides: [String: QualityOverride],
        _ keys: SeriesKeyTable
    ) {
        guard let parameters = overrides[metric].map({ $0.applied(to: model) }) ?? model else { return nil }
        self.plan = QualityPlan(parameters, metric: metric, schedule: schedule)
        self.track = keys.track(of: series)
    }

    /// Flags a reading; the revisions of others that follow from it are added.
    @inline(__always)
    func examine(
        _ reading: inout ResolvedReading,
        _ batch: UInt32,
        _ history: (any SeriesReader)?,
        _ revisions: inout [ResolvedReading]
    ) {
        self.track.examine(&reading, plan: self.plan, batch: batch, history: history, revisions: &revisions)
    }
}
