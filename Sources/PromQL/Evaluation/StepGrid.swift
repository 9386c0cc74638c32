// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The times at which an expression is evaluated, rising.
struct StepGrid: Sendable {
    let times: [Timestamp]

    /// One moment, of an instant query.
    init(at time: Timestamp) { self.times = [time] }

    /// Moments that rise, at whatever distance.
    init(_ moments: [Timestamp]) { self.times = moments }

    /// `from`, `from + step`, … up to `through`; `step` is above zero.
    init(from: Timestamp, through: Timestamp, step: Milliseconds) {
        self.times = (0...(through - from) / step).map { from + $0 * step }
    }

    /// The multiples of `step`, counted from `origin`, inside any of the windows, whose bounds rise.
    ///
    /// Nil where there would be more than `limit`.
    init?(multiplesOf step: Milliseconds, from origin: Milliseconds, inWindows windows: [TimeWindow], limit: Int) {
        var times: [Timestamp] = []
        for window in windows {
            let moment = window.through
            guard var point = Self.multiple(of: step, from: origin, after: window.after) else { continue }
            if let last = times.last, last >= point {
                guard last < moment, moment - last >= step else { continue }
                point = last + step
            }
            guard point <= moment else { continue }
            // Counted, because the last representable moment has no successor.
            let further = (moment - point) / step
            guard further < Int64(limit - times.count) else { return nil }
            for _ in 0...further {
                times.append(point)
                point = point + step
            }
        }
        self.times = times
    }

    var count: Int { self.times.count }

    /// The first multiple of `step`, counted from `origin`, that is later than `moment`; nil beyond the representable
    /// times.
    static func multiple(of step: Milliseconds, from origin: Milliseconds, after moment: Timestamp) -> Timestamp? {
        let remainder = moment.milliseconds.subtracting(origin) % step
        let down = moment.milliseconds.subtracting(remainder < 0 ? remainder + step : remainder)
        let next = Timestamp(milliseconds: down) + step
        return next == .distantFuture ? nil : next
    }
}

/// A scalar at every step.
enum ScalarSteps: Sendable {
    case same(Double)
    case each([Double])

    subscript(step: Int) -> Double {
        switch self {
        case .same(let value): value
        case .each(let values): values[step]
        }
    }

    func map(_ transform: (Double) -> Double) -> ScalarSteps {
        switch self {
        case .same(let value): .same(transform(value))
        case .each(let values): .each(values.map(transform))
        }
    }

    /// `transform` of both at every step.
    static func combine(
        _ left: ScalarSteps,
        _ right: ScalarSteps,
        _ transform: (Double, Double) -> Double
    ) -> ScalarSteps {
        switch (left, right) {
        case (.same(let one), .same(let other)): .same(transform(one, other))
        case (.same(let one), .each(let others)): .each(others.map { transform(one, $0) })
        case (.each(let ones), .same(let other)): .each(ones.map { transform($0, other) })
        case (.each(let ones), .each(let others)): .each(zip(ones, others).map(transform))
        }
    }
}
