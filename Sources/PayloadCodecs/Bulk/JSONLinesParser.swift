// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Room for the numbers of one line, kept for the next.
struct NumberScratch<Number: BitwiseCopyable>: ~Copyable {
    private(set) var numbers: UnsafeMutablePointer<Number>
    private(set) var count = 0
    private var capacity: Int

    init() {
        self.capacity = 4096
        self.numbers = .allocate(capacity: self.capacity)
    }

    deinit { self.numbers.deallocate() }

    mutating func removeAll() { self.count = 0 }

    @inline(__always)
    mutating func append(_ number: Number) {
        if self.count == self.capacity { self.grow() }
        (self.numbers + self.count).initialize(to: number)
        self.count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Number>.allocate(capacity: self.capacity * 2)
        larger.update(from: self.numbers, count: self.count)
        self.numbers.deallocate()
        self.numbers = larger
        self.capacity *= 2
    }

    var all: UnsafeBufferPointer<Number> { UnsafeBufferPointer(start: self.numbers, count: self.count) }
}

/// Reads VictoriaMetrics's JSON lines: `{"metric":{"__name__":"x","a":"b"},"values":[1,2.5,null],"timestamps":[ms,…]}`.
///
/// The members come in any order, others are passed over. A value is a number, `null` or `"NaN"` (not a number),
/// `"Infinity"` or `"-Infinity"`. Lines with the same raw `metric` object are one series.
struct JSONLinesParser: ~Copyable {
    private var values = NumberScratch<Double>()
    private var times = NumberScratch<Int64>()
    private var keys = RawKeyTable()

    /// Nothing outside the years 1 to 9999 is a moment: a file in nanoseconds is refused and not stored in the far future.
    static let moments: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    /// Adds what the line holds to `piece`.
    mutating func read(_ line: inout LineCursor, number: Int, into piece: inout BulkPiece) throws(LineProblem) {
        var metric: (start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>)?
        var hasValues = false
        var hasTimes = false
        guard line.take(UInt8(ascii: "{")) else {
            throw line.problem(#"a line should have the form {"metric":{…},"values":[…],"timestamps":[…]}"#)
        }
        line.skipBlanks()
        while !line.take(UInt8(ascii: "}")) {
            let member = line.at
            if line.take(#""values""#) {
                guard !hasValues else { throw line.problem("'values' is there twice", at: member) }
                hasValues = true
                try Self.colon(&line)
                try self.readValues(&line)
            } else if line.take(#""timestamps""#) {
                guard !hasTimes else { throw line.problem("'timestamps' is there twice", at: member) }
                hasTimes = true
                try Self.colon(&line)
                try self.readTimes(&line)
            } else if line.take(#""metric""#) {
                guard metric == nil else { throw line.problem("'metric' is there twice", at: member) }
                try Self.colon(&line)
                let start = line.at
                guard line.byte == UInt8(ascii: "{") else { throw line.problem("'metric' should be an object") }
                try JSONSkipper.skip(&line)
                metric = (start, line.at)
            } else {
                try JSONSkipper.string(&line)
                try Self.colon(&line)
                try JSONSkipper.skip(&line)
            }
            line.skipBlanks()
            if line.take(UInt8(ascii: ",")) {
                line.skipBlanks()
                guard line.byte == UInt8(ascii: "\"") else {
                    throw line.problem("expected a member, found \(line.found)")
                }
            } else if line.byte != UInt8(ascii: "}") {
                throw line.problem("expected ',' or '}', found \(line.found)")
            }
        }
        line.skipBlanks()
        guard line.isAtEnd else { throw line.problem("the object is complete, but there follows \(line.found)") }
        guard let metric else { throw line.problem("the member 'metric' is missing", at: line.start) }
        guard hasValues else { throw line.problem("the member 'values' is missing", at: line.start) }
        guard hasTimes else { throw line.problem("the member 'timestamps' is missing", at: line.start) }
        guard self.values.count == self.times.count else {
            throw line.problem(
                "\(self.values.count) values but \(self.times.count) timestamps; they go in pairs",
                at: line.start
            )
        }
        try self.add(line, metric: metric, number: number, to: &piece)
    }

    private mutating func add(
        _ line: LineCursor,
        metric: (start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>),
        number: Int,
        to piece: inout BulkPiece
    ) throws(LineProblem) {
        let raw = UnsafeRawBufferPointer(start: metric.start, count: metric.end - metric.start)
        if let known = self.keys.known(raw) {
            if piece.series.indices.contains(known) {
                piece.series[known].times.append(contentsOf: self.moments())
                piece.series[known].values.append(contentsOf: self.values.all)
                piece.samples += self.times.count
            }
            return
        }
        var object = LineCursor(line.start, metric.end)
        object.at = metric.start
        // A metric that is refused gets no number, so that each of its lines says so.
        let labels = try MetricObject.labels(&object)
        self.keys.number(of: raw)
        piece.series.append(
            BulkSeries(labels: labels, times: self.moments(), values: Array(self.values.all), line: number)
        )
        piece.samples += self.times.count
    }

    private borrowing func moments() -> [Timestamp] {
        let times = self.times.all
        return [Timestamp](unsafeUninitializedCapacity: times.count) { moments, count in
            guard let first = moments.baseAddress else { return }
            for index in times.indices { (first + index).initialize(to: Timestamp(milliseconds: times[index])) }
            count = times.count
        }
    }

    private mutating func readValues(_ line: inout LineCursor) throws(LineProblem) {
        self.values.removeAll()
        guard line.take(UInt8(ascii: "[")) else { throw line.problem("'values' should be an array") }
        line.skipBlanks()
        if line.take(UInt8(ascii: "]")) { return }
        let end = line.end
        var at = line.at
        while true {
            var value = 0.0
            let length = DecimalScanner.short(at, end, &value)
            if length > 0 {
                at += length
            } else {
                line.at = at
                value = try Self.unusual(&line)
                at = line.at
            }
            self.values.append(value)
            if at < end, at.pointee == UInt8(ascii: ",") {
                at += 1
                if at < end, at.pointee > 0x20 { continue }
                line.at = at
                line.skipBlanks()
                at = line.at
            } else {
                line.at = at
                if try Self.isClosed(&line) { return }
                at = line.at
            }
        }
    }

    private mutating func readTimes(_ line: inout LineCursor) throws(LineProblem) {
        self.times.removeAll()
        guard line.take(UInt8(ascii: "[")) else { throw line.problem("'timestamps' should be an array") }
        line.skipBlanks()
        if line.take(UInt8(ascii: "]")) { return }
        let end = line.end
        var at = line.at
        while true {
            var milliseconds: Int64 = 0
            let length = DecimalScanner.long(at, end, &milliseconds)
            if length > 0 {
                at += length
            } else {
                line.at = at
                guard let number = DecimalScanner.integer(&at, end) else {
                    throw line.problem("a timestamp should be Unix milliseconds, found \(line.found)")
                }
                milliseconds = number
            }
            guard Self.moments.contains(milliseconds) else {
                throw line.problem("\(milliseconds) is no time in Unix milliseconds", at: at)
            }
            self.times.append(milliseconds)
            if at < end, at.pointee == UInt8(ascii: ",") {
                at += 1
                if at < end, at.pointee > 0x20 { continue }
                line.at = at
                line.skipBlanks()
                at = line.at
            } else {
                line.at = at
                if try Self.isClosed(&line) { return }
                at = line.at
            }
        }
    }

    /// Behind an element that no comma follows at once: whether the array ends here.
    private static func isClosed(_ line: inout LineCursor) throws(LineProblem) -> Bool {
        line.skipBlanks()
        if line.take(UInt8(ascii: "]")) { return true }
        guard line.take(UInt8(ascii: ",")) else { throw line.problem("expected ',' or ']', found \(line.found)") }
        line.skipBlanks()
        return false
    }

    private static func colon(_ line: inout LineCursor) throws(LineProblem) {
        line.skipBlanks()
        guard line.take(UInt8(ascii: ":")) else { throw line.problem("expected ':', found \(line.found)") }
        line.skipBlanks()
    }

    /// A value that is no short decimal.
    @inline(never)
    private static func unusual(_ line: inout LineCursor) throws(LineProblem) -> Double {
        if line.take("null") { return .nan }
        if line.byte == UInt8(ascii: "\"") {
            if line.take(#""NaN""#) { return .nan }
            if line.take(#""Infinity""#) || line.take(#""+Inf""#) || line.take(#""Inf""#) { return .infinity }
            if line.take(#""-Infinity""#) || line.take(#""-Inf""#) { return -.infinity }
        }
        var at = line.at
        guard let value = DecimalScanner.general(&at, line.end, isJSON: true) else {
            throw line.problem("a value should be a number or null, found \(line.found)")
        }
        line.at = at
        return value
    }
}
