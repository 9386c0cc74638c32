// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Passes over JSON values that nobody asked for, and reads strings.
enum JSONSkipper {
    /// Nesting beyond this is refused, so that hostile input cannot exhaust the stack; no recursion is used anyway.
    private static let maximumDepth = 64

    /// Passes over one value of any kind.
    ///
    /// Checked is what is needed to find its end: brackets pair up and strings are closed.
    static func skip(_ line: inout LineCursor) throws(LineProblem) {
        var depth = 0
        repeat {
            line.skipBlanks()
            switch line.byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= Self.maximumDepth else { throw line.problem("nested too deeply") }
                line.at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { throw line.problem("expected a value, found \(line.found)") }
                depth -= 1
                line.at += 1
            case UInt8(ascii: "\""): try self.string(&line)
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw line.problem("expected a value, found \(line.found)") }
                line.at += 1
            case let byte where PrometheusName.isWord(byte) || byte == UInt8(ascii: "-"):
                while !line.isAtEnd, self.isScalar(line.at.pointee) { line.at += 1 }
            default: throw line.problem("expected a value, found \(line.found)")
            }
        } while depth > 0
    }

    private static func isScalar(_ byte: UInt8) -> Bool {
        PrometheusName.isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: ".")
    }

    /// Passes over one string.
    static func string(_ line: inout LineCursor) throws(LineProblem) {
        let start = line.at
        guard line.take(UInt8(ascii: "\"")) else {
            throw line.problem("expected a text in quotes, found \(line.found)")
        }
        while line.at < line.end {
            let byte = line.at.pointee
            line.at += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\"), line.at < line.end { line.at += 1 }
        }
        throw line.problem("a text is not closed", at: start)
    }
}

/// The `metric` member of a JSON line.
enum MetricObject {
    /// Reads `{"__name__":"m","a":"b"}`.
    static func labels(_ line: inout LineCursor) throws(LineProblem) -> Labels {
        let start = line.at
        var pairs = LabelPairs()
        guard line.take(UInt8(ascii: "{")) else { throw line.problem("'metric' should be an object") }
        line.skipBlanks()
        while !line.take(UInt8(ascii: "}")) {
            let place = line.at
            let name = try self.text(&line)
            line.skipBlanks()
            guard line.take(UInt8(ascii: ":")) else { throw line.problem("expected ':', found \(line.found)") }
            line.skipBlanks()
            guard line.byte == UInt8(ascii: "\"") else {
                throw line.problem("the value of a label should be a text, found \(line.found)")
            }
            let value = try self.text(&line)
            if let problem = pairs.add(name, value) { throw line.problem(problem, at: place) }
            line.skipBlanks()
            if line.take(UInt8(ascii: ",")) {
                line.skipBlanks()
                guard line.byte == UInt8(ascii: "\"") else {
                    throw line.problem("expected a label, found \(line.found)")
                }
            } else if line.byte != UInt8(ascii: "}") {
                throw line.problem("expected ',' or '}', found \(line.found)")
            }
        }
        if pairs.hasNoMetric {
            throw line.problem("the label __name__ is missing: it holds the metric's name", at: start)
        }
        return pairs.labels
    }

    /// A JSON string, its escapes resolved.
    static func text(_ line: inout LineCursor) throws(LineProblem) -> String {
        let open = line.at
        guard line.take(UInt8(ascii: "\"")) else {
            throw line.problem("expected a text in quotes, found \(line.found)")
        }
        let start = line.at
        while line.at < line.end, line.at.pointee != UInt8(ascii: "\""), line.at.pointee != UInt8(ascii: "\\") {
            line.at += 1
        }
        if line.byte == UInt8(ascii: "\"") {
            let text = String(decoding: UnsafeBufferPointer(start: start, count: line.at - start), as: UTF8.self)
            line.at += 1
            return text
        }
        var bytes = Array(UnsafeBufferPointer(start: start, count: line.at - start))
        while line.at < line.end {
            let byte = line.at.pointee
            line.at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: bytes, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                try self.escape(&line, into: &bytes)
            } else {
                bytes.append(byte)
            }
        }
        throw line.problem("a text is not closed", at: open)
    }

    private static func escape(_ line: inout LineCursor, into bytes: inout [UInt8]) throws(LineProblem) {
        let byte = line.byte
        line.at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "u"):
            let first = try self.hexadecimal(&line)
            var scalar = UInt32(first)
            if (0xD800..<0xDC00).contains(first), line.end - line.at >= 6, line.at[0] == UInt8(ascii: "\\"),
                line.at[1] == UInt8(ascii: "u")
            {
                line.at += 2
                let second = try self.hexadecimal(&line)
                guard (0xDC00..<0xE000).contains(second) else {
                    throw line.problem("half of a surrogate pair", at: line.at - 6)
                }
                scalar = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
            }
            guard let character = Unicode.Scalar(scalar) else {
                throw line.problem("half of a surrogate pair", at: line.at - 6)
            }
            bytes.append(contentsOf: UTF8.encode(character).map(Array.init) ?? [])
        default:
            line.at -= 1
            throw line.problem("there is no escape '\\' with \(line.found)")
        }
    }

    private static func hexadecimal(_ line: inout LineCursor) throws(LineProblem) -> UInt16 {
        guard line.end - line.at >= 4 else { throw line.problem("four hexadecimal digits should follow \\u") }
        var number: UInt16 = 0
        for _ in 0..<4 {
            let byte = line.at.pointee
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: throw line.problem("four hexadecimal digits should follow \\u, found \(line.found)")
            }
            number = number << 4 | UInt16(digit)
            line.at += 1
        }
        return number
    }
}

/// Labels on their way from a file: checked one by one, sorted at the end.
struct LabelPairs {
    private var pairs: [Label] = []
    private var isSorted = true
    private(set) var hasNoMetric = true

    /// - Returns: What is wrong with the label; nil when it was taken.
    mutating func add(_ name: String, _ value: String) -> String? {
        if name == Labels.metricName {
            guard PrometheusName.isMetric(value) else {
                return "'\(value)' is no metric name: letters, digits, _ and :, no digit first"
            }
            self.hasNoMetric = false
        }
        guard PrometheusName.isLabel(name) else {
            return "'\(name)' is no label name: letters, digits and _, no digit first"
        }
        guard !self.pairs.contains(where: { $0.name == name }) else { return "the label '\(name)' is there twice" }
        if let last = self.pairs.last, last.name > name { self.isSorted = false }
        if !value.isEmpty { self.pairs.append(Label(name: name, value: value)) }
        return nil
    }

    var labels: Labels { self.isSorted ? Labels(sorted: self.pairs) : Labels(self.pairs) }
}
