// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What the tests of one series remember of the values before: a few numbers, whatever the length of the series.
///
/// Pure: it knows no clock and no store. Give it the values in the order of their times; what it says depends on nothing
/// else, so that a stream and a batch of the same values have the same flags.
///
/// - *Rate of change.* A value that is further from the one before than it can have changed is suspect, and so are
///   those behind it, until they are back at where they came from, or have stayed for the confirmation time. A value
///   that comes back is none: QARTOD's test would call it suspect, too. So a sensor that drops to zero for a while never
///   ends a warning, and a step that is real is believed after a while.
/// - *Spike.* A value that stands out to one side of both its neighbours by more than the threshold; known when the next
///   one is there. A rise, however steep, is none. Only believed values are neighbours: a flood's crest is no spike because
///   the gauge drops to zero behind it.
/// - *Flat line.* The values of the whole time before differ by no more than the tolerance; three of them at least.
struct QualityState: Hashable, Sendable {
    /// Values are decimals: 1.20 − 1.10 is not more than 0.10.
    static let slack = 1e-9
    /// Steps within the tolerance that are remembered of a flat line.
    private static let flatSteps = 64

    struct Point: Hashable, Sendable {
        var time: Timestamp
        var value: Double
    }

    /// What is known of a series when one more value is there.
    struct Verdict: Hashable, Sendable {
        var mark: SampleMark
        /// An earlier value that had passed and has turned out to be a spike.
        var spike: Point?
    }

    private(set) var last: Point?
    /// The last value that was believed by the rate of change.
    private var base = 0.0
    /// Since when values are away from ``base`` by more than they can be; nil while they are not.
    private(set) var openSince: Timestamp?
    /// The newest value that passed, and the one before it that is no spike.
    private var passed: Point?
    private var passedBefore: Point?
    /// The longest stretch up to now whose values differ by no more than the tolerance, one point for each change.
    private var flat: [Point] = []

    /// Since when no value was further from the one before than it can be.
    private var calmSince: Timestamp?
    /// From when on what the rate of change says does not depend on what was before the first value.
    private var rateSettledAt: Timestamp?
    private var hasSettledSpike = false
    /// Whether the flat line begins behind the first value, or is one already, however much longer it may be.
    private var hasSettledFlat = false

    init() {}

    /// When the value was that the next one may show to be a spike; nil where there is none.
    var openSpike: Timestamp? { self.passed?.time }

    /// Whether what came before the first value that was given can have no part in what follows: there was a time as long
    /// as a confirmation without a jump, two values in a row neither of which can be a spike, and a change that ended a
    /// flat line, or a whole one.
    func isSettled(_ plan: QualityPlan) -> Bool {
        (self.rateSettledAt != nil || !plan.testsRate) && (self.hasSettledSpike || !plan.testsSpike)
            && (self.hasSettledFlat || !plan.testsFlatLine) && self.last != nil
    }

    /// Whether all that follows is judged alike.
    func agrees(with other: QualityState) -> Bool {
        self.last == other.last && self.base == other.base && self.openSince == other.openSince
            && self.passed == other.passed && self.passedBefore == other.passedBefore && self.flat == other.flat
    }

    /// Takes the next value; its time is later than that of ``last``.
    ///
    /// One that its sender doubts (`isDoubted`) is no neighbour of a spike, and none itself.
    mutating func take(
        _ value: Double,
        at time: Timestamp,
        isDoubted: Bool = false,
        _ plan: QualityPlan
    ) -> Verdict {
        var mark = plan.judge(value, at: time)
        // What is impossible says nothing of what was measured before and after it.
        if mark.quality == .fail { return Verdict(mark: mark) }
        let point = Point(time: time, value: value)
        if let last = self.last {
            let elapsed = time - last.time
            if plan.testsRate, self.isTooFast(value, at: time, after: last, elapsed, plan), mark.quality == .pass {
                mark = SampleMark(failed: .rateOfChange)
            }
            if plan.testsDepth, mark.quality == .pass, value > RainCounter.record(over: elapsed) {
                mark = SampleMark(failed: .grossRange)
            }
            if plan.testsFlatLine, self.isFlat(value, at: time, after: last, elapsed, plan), mark.quality == .pass {
                mark = SampleMark(failed: .flatLine)
            }
            if elapsed > plan.gap, mark.quality == .pass { mark = SampleMark(failed: .gap) }
        } else {
            self.base = value
            self.calmSince = time
            if plan.testsFlatLine { self.flat = [point] }
        }
        self.last = point
        if plan.testsRate, self.rateSettledAt == nil, self.openSince == nil, let calmSince,
            time - calmSince >= plan.confirmation
        {
            self.rateSettledAt = time
        }
        guard plan.testsSpike, mark.quality == .pass, !isDoubted else { return Verdict(mark: mark) }
        return Verdict(mark: mark, spike: self.spike(before: point, plan))
    }

    /// Takes a value that passed, and says whether it shows the one before to be a spike.
    private mutating func spike(before point: Point, _ plan: QualityPlan) -> Point? {
        defer { self.passed = point }
        guard let middle = self.passed else { return nil }
        let limit = plan.spike + Self.slack
        let fall = middle.value - point.value
        if abs(fall) <= limit, !plan.testsRate || self.rateSettledAt.map({ $0 <= middle.time }) ?? false {
            self.hasSettledSpike = true
        }
        if let first = self.passedBefore, point.time - middle.time <= plan.spikeReach,
            middle.time - first.time <= plan.spikeReach
        {
            let rise = middle.value - first.value
            // What is a spike is no neighbour.
            if rise > limit && fall > limit || rise < -limit && fall < -limit { return middle }
        }
        self.passedBefore = middle
        return nil
    }

    private mutating func isTooFast(
        _ value: Double,
        at time: Timestamp,
        after last: Point,
        _ elapsed: Milliseconds,
        _ plan: QualityPlan
    ) -> Bool {
        let allowance = plan.allowance(over: elapsed)
        let isCalm = abs(value - last.value) <= allowance
        if !isCalm { self.calmSince = time }
        if let since = self.openSince {
            let isBack = abs(value - self.base) <= allowance
            let isConfirmed = isCalm && time - since >= plan.confirmation
            guard isBack || isConfirmed else {
                if !isCalm { self.openSince = time }
                return true
            }
            self.openSince = nil
        } else if !isCalm {
            self.openSince = time
            return true
        }
        self.base = value
        return false
    }

    private mutating func isFlat(
        _ value: Double,
        at time: Timestamp,
        after last: Point,
        _ elapsed: Milliseconds,
        _ plan: QualityPlan
    ) -> Bool {
        // Between two values that are so far apart nobody looked.
        if elapsed > plan.flatDuration / 2 {
            self.flat.removeAll(keepingCapacity: true)
            self.flat.append(Point(time: time, value: value))
            self.hasSettledFlat = true
            return false
        }
        if value != last.value {
            self.flat.append(Point(time: time, value: value))
            self.trimFlat(plan.flatTolerance + Self.slack)
        }
        let isFlat = self.flat.first.map { time - $0.time >= plan.flatDuration } ?? false
        if isFlat { self.hasSettledFlat = true }
        return isFlat
    }

    /// Keeps the longest stretch at the end whose values differ by no more than `tolerance`.
    private mutating func trimFlat(_ tolerance: Double) {
        var (low, high) = (Double.infinity, -Double.infinity)
        var first = self.flat.count
        while first > 0 {
            let value = self.flat[first - 1].value
            (low, high) = (min(low, value), max(high, value))
            guard high - low <= tolerance else { break }
            first -= 1
        }
        first = max(first, self.flat.count - Self.flatSteps)
        guard first > 0 else { return }
        self.flat.removeSubrange(0..<first)
        self.hasSettledFlat = true
    }
}
