// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

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
    private var queue: [Int32] = []
    private var queueHead = 0
    /// The value of the present one's, which may lie far back.
    private var extreme = 0.0
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

    /// The place of the first sample later than `after`.
    func first(of run: SampleRun, after: Timestamp) -> Int {
        run.count(through: after, near: self.places.lowerBound - run.base)
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
    ///   - window: The samples that it holds now; not empty.
    ///   - parameters: The scalar arguments of the function.
    ///   - time: Of the evaluation.
    /// - Returns: Nil where the samples yield nothing.
    /// - Throws: ``PromQLError``, as ``WindowFunctions`` does.
    mutating func value(of window: SampleWindow, parameters: [Double], at time: Timestamp) throws -> Value? {
        let run = window.run
        let places = window.first + run.base..<window.end + run.base
        if self.kind == .nothing || self.kind == .places {
            self.places = places
        } else {
            self.move(to: places, run)
        }
        if let value = self.carriedValue(window, parameters, time) { return value }
        let copy = window.columns
        guard self.function != .predictLinear else {
            return LinearRegression(copy, origin: time).map { Self.projection($0, parameters) }
        }
        let value = try WindowFunctions.value(self.function, of: copy, parameters: parameters, at: time)
        return value.map { Value(value: $0) }
    }

    private static func projection(_ line: LinearRegression, _ parameters: [Double]) -> Value {
        Value(value: line.slope * parameters[0] + line.intercept, slope: line.slope)
    }

    /// Nil where the samples themselves must be looked at.
    private func carriedValue(_ window: SampleWindow, _ parameters: [Double], _ time: Timestamp) -> Value? {
        let run = window.run
        switch self.kind {
        case .nothing: return nil
        case .places:
            switch self.function {
            case .countOverTime: return Value(value: Double(window.count))
            case .lastOverTime: return Value(value: run[window.end - 1].value)
            case .firstOverTime: return Value(value: run[window.first].value)
            default: return Value(value: 1)
            }
        case .least, .greatest:
            guard self.queueHead < self.queue.count else { return Value(value: run[window.first].value) }
            return Value(value: self.extreme)
        case .changes, .resets: return Value(value: Double(self.pairs))
        case .sum:
            guard let sum = self.decimals.sum else { return nil }
            return Value(value: self.function == .avgOverTime ? sum / Double(window.count) : sum)
        case .rain:
            guard self.function == .coveredSumOverTime, window.beginsUncovered else {
                return self.decimals.sum.map { Value(value: $0) }
            }
            return self.decimals.sum(without: run[window.first].value).map { Value(value: $0) }
        case .line:
            guard window.count >= 2 else { return nil }
            let first = run[window.first]
            if self.pairs == 0, first.value.isFinite {
                let line = LinearRegression(slope: 0, intercept: first.value)
                return self.function == .deriv ? Value(value: 0) : Self.projection(line, parameters)
            }
            guard let integer = self.decimals.integer(first.value), self.decimals.areAll else { return nil }
            let line = self.moments.line(
                first: (first.time, integer),
                count: window.count,
                places: self.decimals.places,
                origin: self.function == .deriv ? first.time : time
            )
            guard let line else { return nil }
            return self.function == .deriv ? Value(value: line.slope) : Self.projection(line, parameters)
        }
    }

    // MARK: - Moving on

    private mutating func move(to target: Range<Int>, _ run: SampleRun) {
        let canGoOn =
            target.lowerBound >= self.places.lowerBound && target.upperBound >= self.places.upperBound
            && target.lowerBound < self.places.upperBound && self.places.lowerBound >= run.base
        guard canGoOn else { return self.begin(target, run) }
        for place in self.places.upperBound..<target.upperBound {
            guard self.enter(place, run) else { return self.begin(target, run) }
        }
        for place in self.places.lowerBound..<target.lowerBound { self.leave(place, end: target.upperBound, run) }
        self.places = target
    }

    /// Forgets what was, and takes all of a window in.
    private mutating func begin(_ target: Range<Int>, _ run: SampleRun) {
        self.queue.removeAll(keepingCapacity: true)
        self.queueHead = 0
        self.pairs = 0
        self.places = target.lowerBound..<target.lowerBound
        if self.kind == .sum || self.kind == .rain || self.kind == .line {
            let local = target.lowerBound - run.base..<target.upperBound - run.base
            self.decimals = RunningDecimals(places: DecimalSums.places(of: local.map { run[$0].value }[...]))
            self.moments = RunningMoments()
        }
        for place in target { _ = self.enter(place, run) }
        self.places = target
    }

    /// - Returns: False where all must be begun anew.
    private mutating func enter(_ place: Int, _ run: SampleRun) -> Bool {
        let index = place - run.base
        let value = run[index].value
        switch self.kind {
        case .places, .nothing: break
        case .least: self.enqueue(place, value, run, wins: <)
        case .greatest: self.enqueue(place, value, run, wins: >)
        case .sum, .rain: return self.decimals.add(value)
        case .changes, .resets, .line:
            if place > self.places.lowerBound, self.isPair(index - 1, run) { self.pairs += 1 }
            guard self.kind == .line else { break }
            guard self.decimals.add(value) else { return false }
            if let integer = self.decimals.integer(value) {
                return self.moments.add(run[index].time, integer)
            }
        }
        return true
    }

    private mutating func leave(_ place: Int, end: Int, _ run: SampleRun) {
        let index = place - run.base
        let value = run[index].value
        switch self.kind {
        case .places, .nothing: break
        case .least, .greatest:
            guard self.queueHead < self.queue.count, self.queue[self.queueHead] == Int32(place) else { break }
            self.queueHead += 1
            if self.queueHead < self.queue.count {
                self.extreme = run[Int(self.queue[self.queueHead]) - run.base].value
            }
            guard self.queueHead >= 32, 2 * self.queueHead >= self.queue.count else { break }
            self.queue.removeFirst(self.queueHead)
            self.queueHead = 0
        case .sum, .rain: self.decimals.remove(value)
        case .changes, .resets, .line:
            if place + 1 < end, self.isPair(index, run) { self.pairs -= 1 }
            guard self.kind == .line else { break }
            if let integer = self.decimals.integer(value) { self.moments.remove(run[index].time, integer) }
            self.decimals.remove(value)
        }
    }

    /// Whether the sample at `index` and the one after it are such a pair as is counted.
    private func isPair(_ index: Int, _ run: SampleRun) -> Bool {
        let (before, value) = (run[index].value, run[index + 1].value)
        switch self.kind {
        case .resets: return WindowFunctions.isReset(before, value)
        case .changes: return WindowFunctions.isChange(before, value)
        default: return before != value
        }
    }

    private mutating func enqueue(
        _ place: Int,
        _ value: Double,
        _ run: SampleRun,
        wins: (Double, Double) -> Bool
    ) {
        guard !value.isNaN else { return }
        while self.queue.count > self.queueHead,
            wins(value, run[Int(self.queue[self.queue.count - 1]) - run.base].value)
        {
            self.queue.removeLast()
        }
        if self.queue.count == self.queueHead { self.extreme = value }
        self.queue.append(Int32(place))
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
