// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// The tests of one series, ready to be made.
package struct QualityPlan: Sendable {
    /// What is possible at all; outside the flag is 4.
    let lowest: Double
    let highest: Double
    let plausibleLowest: Double
    let plausibleHighest: Double
    let climatology: [ClosedRange<Double>?]
    /// The largest change within ``rateSpan``; infinite where it is not tested.
    let rateLimit: Double
    let rateSpan: Milliseconds
    let confirmation: Milliseconds
    /// Infinite where it is not tested.
    let spike: Double
    /// Neighbours in time that are further away tell nothing of a spike.
    let spikeReach: Milliseconds
    /// The longest time without a change; the longest possible where it is not tested.
    let flatDuration: Milliseconds
    let flatTolerance: Double
    let gap: Milliseconds
    /// Whether values are depths of rain since the one before, of which the deepest ever measured are known.
    let testsDepth: Bool
    /// What the flags are made of, for tests across series and reports.
    package let parameters: QualityParameters

    /// Whether nothing is asked of a value but that it is possible: there are no parameters, and such a value has not been evaluated.
    let isOfBoundsAlone: Bool

    var testsRate: Bool { self.rateLimit < .infinity }
    var testsSpike: Bool { self.spike < .infinity }
    var testsFlatLine: Bool { self.flatDuration < .max }
    /// How far back a value is looked at: what is older has no part in its flag, once nothing is open.
    let reach: Milliseconds

    /// - Parameters:
    ///   - parameters: In the metric's canonical unit.
    ///   - metric: Its physical bounds count, too.
    ///   - schedule: How often values come; a spike is one beside its next neighbours only.
    package init(_ parameters: QualityParameters, metric: String, schedule: ReportSchedule? = nil) {
        self.parameters = parameters
        let physical = MetricName.physicalRange(of: metric)
        self.lowest = physical.lowerBound
        self.highest = physical.upperBound
        self.plausibleLowest = parameters.grossRange?.lowerBound ?? -.infinity
        self.plausibleHighest = parameters.grossRange?.upperBound ?? .infinity
        self.climatology = parameters.climatology
        self.rateLimit = parameters.rateOfChange?.limit ?? .infinity
        self.rateSpan = parameters.rateOfChange?.span ?? 1
        self.confirmation = parameters.rateOfChange?.confirmation ?? 0
        self.spike = parameters.spike ?? .infinity
        self.spikeReach = schedule?.lookback ?? .max
        self.flatDuration = parameters.flatLine?.duration ?? .max
        self.flatTolerance = parameters.flatLine?.tolerance ?? 0
        self.gap = parameters.gap ?? .max
        self.isOfBoundsAlone = parameters.isEmpty && metric != RainCounter.depthMetric
        self.testsDepth = metric == RainCounter.depthMetric
        let flat = parameters.flatLine?.duration ?? 0
        self.reach = max(self.confirmation, flat, parameters.gap ?? 0, 3 * (schedule?.lookback ?? 0), .hour)
    }

    /// The largest plausible change over a time; proportional, but never less than that within the span.
    @inline(__always)
    func allowance(over elapsed: Milliseconds) -> Double {
        self.rateLimit * max(1, Double(elapsed) / Double(self.rateSpan)) + QualityState.slack
    }

    /// What a value alone says: its flag, and the test it fails.
    @inline(__always)
    func judge(_ value: Double, at time: Timestamp) -> SampleMark {
        guard value >= self.lowest, value <= self.highest else { return SampleMark(quality: .fail) }
        guard value >= self.plausibleLowest, value <= self.plausibleHighest else {
            return SampleMark(failed: .grossRange)
        }
        if !self.climatology.isEmpty {
            let month = CivilTime(time, offsetMinutes: Timestamp.chinaOffsetMinutes).month
            if let range = self.climatology[month - 1], !range.contains(value) {
                return SampleMark(failed: .climatology)
            }
        }
        return SampleMark(quality: self.isOfBoundsAlone ? .notEvaluated : .pass)
    }
}
