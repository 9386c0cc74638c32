// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The samples of a series that grows at its end, of which the oldest have been let go of.
struct GrowingSeries {
    let columns: SeriesColumns
    /// How many samples stood before the first of `columns`.
    let base: Int
}

/// One window over a series that grows, carried on from one evaluation to the next.
///
/// A step costs what has entered and left the window since the one before, however long it is. The results are those of
/// ``WindowFunctions``, to the bit: sums and moments are integers, and what is not made of decimals is summed anew.
struct RunningWindow: Sendable {
    /// What is carried on besides the places.
    private enum Kind: Sendable { case places, least, greatest, sum, rain, line, changes, resets, nothing }

    private let function: Function
    private let kind: Kind
    /// The samples in the window, counted from the first that the series ever had.
    private var places = 0..<0
    /// Those that can still be the extreme of a later window, the present one's first.
    private var queue: [Int] = []
    private var queueHead = 0
    /// Pairs of neighbours that count.
    private var pairs = 0
    private var decimals = RunningDecimals()
    private var moments = RunningMoments()

    init(_ function: Function) {
        self.function = function
        self.kind =
            switch function {
            case .countOverTime, .lastOverTime, .firstOverTime, .presentOverTime: .places
            case .minOverTime: .least
            case .maxOverTime: .greatest
            case .sumOverTime, .avgOverTime: .sum
            case .coveredSumOverTime, .possibleSumOverTime: .rain
            case .deriv, .predictLinear: .line
            case .changes: .changes
            case .resets: .resets
            default: .nothing
            }
    }

    /// The first sample later than `after`, counted in the columns.
    func first(of series: GrowingSeries, after: Timestamp) -> Int {
        series.columns.times.count(through: after, near: max(0, self.places.lowerBound - series.base))
    }

    /// The value, and for a projection how it changes with the evaluation time.
    struct Value {
        var value: Double
        /// Per second.
        var slope = 0.0
    }

    /// Moves the window on and evaluates.
    ///
    /// - Parameters:
    ///   - window: The places and borders of the samples that it holds now.
    ///   - series: What the places count.
    ///   - parameters: The scalar arguments of the function.
    ///   - time: Of the evaluation.
    /// - Returns: Nil where the samples yield nothing.
    /// - Throws: ``PromQLError``, as ``WindowFunctions`` does.
    mutating func value(
        of window: Window,
        in series: GrowingSeries,
        parameters: [Double],
        at time: Timestamp
    ) throws -> Value? {
        if self.kind != .nothing, self.kind != .places {
            self.move(to: window.first + series.base..<window.end + series.base, series)
            if let value = self.carriedValue(window, series, parameters, time) { return value }
        } else {
            self.places = window.first + series.base..<window.end + series.base
        }
        let values = series.columns.values
        let places = window.first..<window.end
        if let plain = WindowFunctions.plain(self.function, of: values, in: places) { return Value(value: plain) }
        guard self.function != .predictLinear else {
            return LinearRegression(window, origin: time).map { Self.projection($0, parameters) }
        }
        let value = try WindowFunctions.value(self.function, of: window, parameters: parameters, at: time)
        return value.map { Value(value: $0) }
    }

    private static func projection(_ line: LinearRegression, _ parameters: [Double]) -> Value {
        Value(value: line.slope * parameters[0] + line.intercept, slope: line.slope)
    }

    /// Nil where the samples themselves must be looked at.
    private func carriedValue(
        _ window: Window,
        _ series: GrowingSeries,
        _ parameters: [Double],
        _ time: Timestamp
    ) -> Value? {
        let values = series.columns.values
        switch self.kind {
        case .places, .nothing: return nil
        case .least, .greatest:
            guard self.queueHead < self.queue.count else { return Value(value: values[window.first]) }
            return Value(value: values[self.queue[self.queueHead] - series.base])
        case .changes, .resets: return Value(value: Double(self.pairs))
        case .sum:
            guard let sum = self.decimals.sum else { return nil }
            return Value(value: self.function == .avgOverTime ? sum / Double(window.count) : sum)
        case .rain:
            guard self.function == .coveredSumOverTime, WindowFunctions.beginsUncovered(window) else {
                return self.decimals.sum.map { Value(value: $0) }
            }
            return self.decimals.sum(without: values[window.first]).map { Value(value: $0) }
        case .line:
            guard window.count >= 2 else { return nil }
            let first = values[window.first]
            if self.pairs == 0, first.isFinite {
                let line = LinearRegression(slope: 0, intercept: first)
                return self.function == .deriv ? Value(value: 0) : Self.projection(line, parameters)
            }
            guard let integer = self.decimals.integer(first), self.decimals.areAll else { return nil }
            let line = self.moments.line(
                first: (series.columns.times[window.first], integer),
                count: window.count,
                places: self.decimals.places,
                origin: self.function == .deriv ? series.columns.times[window.first] : time
            )
            guard let line else { return nil }
            return self.function == .deriv ? Value(value: line.slope) : Self.projection(line, parameters)
        }
    }

    // MARK: - Moving on

    private mutating func move(to target: Range<Int>, _ series: GrowingSeries) {
        let canGoOn =
            target.lowerBound >= self.places.lowerBound && target.upperBound >= self.places.upperBound
            && target.lowerBound < self.places.upperBound && self.places.lowerBound >= series.base
        guard canGoOn else { return self.begin(target, series) }
        for place in self.places.upperBound..<target.upperBound {
            guard self.enter(place, series) else { return self.begin(target, series) }
        }
        for place in self.places.lowerBound..<target.lowerBound { self.leave(place, end: target.upperBound, series) }
        self.places = target
    }

    /// Forgets what was, and takes all of a window in.
    private mutating func begin(_ target: Range<Int>, _ series: GrowingSeries) {
        self.queue.removeAll(keepingCapacity: true)
        self.queueHead = 0
        self.pairs = 0
        self.places = target.lowerBound..<target.lowerBound
        if self.kind == .sum || self.kind == .rain || self.kind == .line {
            let local = target.lowerBound - series.base..<target.upperBound - series.base
            self.decimals = RunningDecimals(places: DecimalSums.places(of: series.columns.values[local]))
            self.moments = RunningMoments()
        }
        for place in target { _ = self.enter(place, series) }
        self.places = target
    }

    /// - Returns: False where all must be begun anew.
    private mutating func enter(_ place: Int, _ series: GrowingSeries) -> Bool {
        let index = place - series.base
        let value = series.columns.values[index]
        switch self.kind {
        case .places, .nothing: break
        case .least: self.enqueue(place, value, series, wins: <)
        case .greatest: self.enqueue(place, value, series, wins: >)
        case .sum, .rain: return self.decimals.add(value)
        case .changes, .resets, .line:
            if place > self.places.lowerBound, self.isPair(index - 1, series) { self.pairs += 1 }
            guard self.kind == .line else { break }
            guard self.decimals.add(value) else { return false }
            if let integer = self.decimals.integer(value) {
                return self.moments.add(series.columns.times[index], integer)
            }
        }
        return true
    }

    private mutating func leave(_ place: Int, end: Int, _ series: GrowingSeries) {
        let index = place - series.base
        let value = series.columns.values[index]
        switch self.kind {
        case .places, .nothing: break
        case .least, .greatest:
            if self.queueHead < self.queue.count, self.queue[self.queueHead] == place { self.queueHead += 1 }
            guard self.queueHead >= 32, 2 * self.queueHead >= self.queue.count else { break }
            self.queue.removeFirst(self.queueHead)
            self.queueHead = 0
        case .sum, .rain: self.decimals.remove(value)
        case .changes, .resets, .line:
            if place + 1 < end, self.isPair(index, series) { self.pairs -= 1 }
            guard self.kind == .line else { break }
            if let integer = self.decimals.integer(value) { self.moments.remove(series.columns.times[index], integer) }
            self.decimals.remove(value)
        }
    }

    /// Whether the sample at `index` and the one after it are such a pair as is counted.
    private func isPair(_ index: Int, _ series: GrowingSeries) -> Bool {
        let (before, value) = (series.columns.values[index], series.columns.values[index + 1])
        switch self.kind {
        case .resets: return WindowFunctions.isReset(before, value)
        case .changes: return WindowFunctions.isChange(before, value)
        default: return before != value
        }
    }

    private mutating func enqueue(
        _ place: Int,
        _ value: Double,
        _ series: GrowingSeries,
        wins: (Double, Double) -> Bool
    ) {
        guard !value.isNaN else { return }
        while self.queue.count > self.queueHead,
            wins(value, series.columns.values[self.queue[self.queue.count - 1] - series.base])
        {
            self.queue.removeLast()
        }
        self.queue.append(place)
    }
}

/// The sum of decimals that come and go, as an integer.
private struct RunningDecimals: Sendable {
    /// Below this, so many as one window holds cannot overflow.
    private static let largest: Int64 = 1 << 42

    /// The sum is in units of 10^−places.
    let places: Int
    private let power: Double
    private var total: Int64 = 0
    /// How many of the values are no such decimals.
    private var strangers = 0

    init(places: Int = 0) {
        self.places = places
        self.power = DecimalScale.powers[places]
    }

    /// Nil of a value that is a stranger.
    func integer(_ value: Double) -> Int64? {
        if value == 0 { return 0 }
        guard let integer = DecimalScale.integer(value, power: self.power), abs(integer) < Self.largest else {
            return nil
        }
        return integer
    }

    /// - Returns: False where the value needs more places.
    mutating func add(_ value: Double) -> Bool {
        if let integer = self.integer(value) {
            self.total += integer
            return true
        }
        self.strangers += 1
        return DecimalScale.places(of: value).map { $0 <= self.places } ?? true
    }

    mutating func remove(_ value: Double) {
        if let integer = self.integer(value) { self.total -= integer } else { self.strangers -= 1 }
    }

    var areAll: Bool { self.strangers == 0 }

    /// Rounded once; nil where not all are decimals.
    var sum: Double? { self.areAll ? DecimalSum.value(of: Int128(self.total), places: self.places) : nil }

    func sum(without value: Double) -> Double? {
        guard self.areAll, let integer = self.integer(value) else { return nil }
        return DecimalSum.value(of: Int128(self.total - integer), places: self.places)
    }
}

/// Sums over points of a time in ms and an integer, from which a line of least squares follows.
private struct RunningMoments: Sendable {
    /// The first point, from which the others are counted, so that products stay small.
    private var start: (time: Timestamp, height: Int64)?
    private var x: Int64 = 0
    private var y: Int64 = 0
    private var xy: Int128 = 0
    private var xx: Int128 = 0
    private var isTooLong = false

    /// Further from the start than this, all is counted from another one.
    private static let farthest: Milliseconds = 1 << 40

    /// - Returns: False where the point is too far away.
    mutating func add(_ time: Timestamp, _ height: Int64) -> Bool {
        guard let start = self.start else {
            self.start = (time, height)
            return true
        }
        let (distance, rise) = (time - start.time, height - start.height)
        guard distance < Self.farthest else {
            self.isTooLong = true
            return false
        }
        self.x += distance
        self.y += rise
        self.xy += Int128(distance) * Int128(rise)
        self.xx += Int128(distance) * Int128(distance)
        return true
    }

    mutating func remove(_ time: Timestamp, _ height: Int64) {
        guard let start = self.start else { return }
        let (distance, rise) = (time - start.time, height - start.height)
        self.x -= distance
        self.y -= rise
        self.xy -= Int128(distance) * Int128(rise)
        self.xx -= Int128(distance) * Int128(distance)
    }

    /// The line through the points, counted from the first of them as ``LinearRegression`` counts.
    func line(
        first: (time: Timestamp, height: Int64),
        count: Int,
        places: Int,
        origin: Timestamp
    ) -> LinearRegression? {
        guard let start = self.start, !self.isTooLong else { return nil }
        let (n, dx, dy) = (Int128(count), Int128(first.time - start.time), Int128(first.height - start.height))
        let (x, y) = (Int128(self.x), Int128(self.y))
        return LinearRegression(
            DecimalMoments(
                count: count,
                first: first,
                x: x - n * dx,
                y: y - n * dy,
                xy: self.xy - dy * x - dx * y + n * dx * dy,
                xx: self.xx - 2 * dx * x + n * dx * dx,
                places: places
            ),
            origin: origin
        )
    }
}
