// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Reads the lines of OpenMetrics and of Prometheus's text exposition.
///
/// ```
/// # TYPE http_requests counter
/// http_requests_total{code="200",path="C:\\x"} 1027 1395066363.5 # {trace_id="a"} 1 1395066363.4
/// # EOF
/// ```
/// Comments and exemplars are passed over. A sample needs a timestamp: what was scraped has none, what was recorded has.
struct ExpositionParser {
    /// OpenMetrics counts seconds, Prometheus milliseconds.
    let isInSeconds: Bool
    private var keys = RawKeyTable()
    /// The series of the line before: most files hold a series' samples together.
    private var last: (key: UnsafeRawBufferPointer, number: Int)?

    init(isInSeconds: Bool) { self.isInSeconds = isInSeconds }

    mutating func read(_ line: inout LineCursor, number: Int, into piece: inout BulkPiece) throws(LineProblem) {
        if line.byte == UInt8(ascii: "#") {
            if line.take("# EOF") { piece.hasEnd = true }
            return
        }
        let key = try self.key(&line)
        guard line.byte == 0x20 || line.byte == 0x09 else {
            throw line.problem("expected a blank and the value, found \(line.found)")
        }
        line.skipBlanks()
        let value = try ValueText.value(&line)
        let time = try self.time(&line)
        line.skipBlanks()
        guard line.isAtEnd || line.byte == UInt8(ascii: "#") else {
            throw line.problem("expected the end of the line, found \(line.found)")
        }
        let series = try self.series(key, line, number: number, &piece)
        piece.series[series].append(time, value, BulkSeries.defaultMark)
        piece.samples += 1
    }

    /// Passes over the name and the labels.
    private mutating func key(_ line: inout LineCursor) throws(LineProblem) -> UnsafeRawBufferPointer {
        let start = line.at
        if let last = self.last, let known = last.key.baseAddress, line.end - start > last.key.count,
            ByteScan.equal(start, known, last.key.count)
        {
            // Behind a closing brace nothing can change the meaning; behind a bare name a blank must follow.
            let next = start[last.key.count]
            if next == 0x20 || next == 0x09 {
                line.at += last.key.count
                return UnsafeRawBufferPointer(start: start, count: last.key.count)
            }
        }
        while line.at < line.end, PrometheusName.isWord(line.at.pointee) || line.at.pointee == UInt8(ascii: ":") {
            line.at += 1
        }
        if line.take(UInt8(ascii: "{")) {
            var isQuoted = false
            while true {
                guard line.at < line.end else { throw line.problem("the labels are not closed by '}'", at: start) }
                let byte = line.at.pointee
                line.at += 1
                if isQuoted {
                    if byte == UInt8(ascii: "\\"), line.at < line.end { line.at += 1 }
                    if byte == UInt8(ascii: "\"") { isQuoted = false }
                } else if byte == UInt8(ascii: "\"") {
                    isQuoted = true
                } else if byte == UInt8(ascii: "}") {
                    break
                }
            }
        }
        guard line.at > start else { throw line.problem("expected the name of a metric, found \(line.found)") }
        return UnsafeRawBufferPointer(start: start, count: line.at - start)
    }

    private mutating func series(
        _ key: UnsafeRawBufferPointer,
        _ line: LineCursor,
        number: Int,
        _ piece: inout BulkPiece
    ) throws(LineProblem) -> Int {
        if let last = self.last, last.key.count == key.count, let left = last.key.baseAddress,
            let right = key.baseAddress, ByteScan.equal(left, right, key.count)
        {
            return last.number
        }
        if let known = self.keys.known(key) {
            self.last = (key, known)
            return known
        }
        var text = LineCursor(line.start, line.start + key.count)
        let labels = try self.labels(&text)
        let series = self.keys.number(of: key)
        self.last = (key, series)
        piece.series.append(BulkSeries(labels: labels, line: number))
        return series
    }

    private func labels(_ line: inout LineCursor) throws(LineProblem) -> Labels {
        var pairs = LabelPairs()
        while line.at < line.end, line.at.pointee != UInt8(ascii: "{") { line.at += 1 }
        let name = String(decoding: UnsafeBufferPointer(start: line.start, count: line.at - line.start), as: UTF8.self)
        if let problem = pairs.add(Labels.metricName, name) { throw line.problem(problem, at: line.start) }
        guard line.take(UInt8(ascii: "{")) else { return pairs.labels }
        line.skipBlanks()
        while !line.take(UInt8(ascii: "}")) {
            let start = line.at
            while line.at < line.end, PrometheusName.isWord(line.at.pointee) { line.at += 1 }
            let label = String(decoding: UnsafeBufferPointer(start: start, count: line.at - start), as: UTF8.self)
            line.skipBlanks()
            guard line.take(UInt8(ascii: "=")) else { throw line.problem("expected '=', found \(line.found)") }
            line.skipBlanks()
            let value = try Self.text(&line)
            if let problem = pairs.add(label, value) { throw line.problem(problem, at: start) }
            line.skipBlanks()
            if line.take(UInt8(ascii: ",")) {
                line.skipBlanks()
            } else if line.byte != UInt8(ascii: "}") {
                throw line.problem("expected ',' or '}', found \(line.found)")
            }
        }
        guard line.isAtEnd else { throw line.problem("expected a blank and the value, found \(line.found)") }
        return pairs.labels
    }

    /// A label's value: `\\`, `\"` and `\n` are escapes; a backslash before anything else stands for itself.
    private static func text(_ line: inout LineCursor) throws(LineProblem) -> String {
        guard line.take(UInt8(ascii: "\"")) else {
            throw line.problem("expected a text in quotes, found \(line.found)")
        }
        var bytes: [UInt8] = []
        while line.at < line.end {
            let byte = line.at.pointee
            line.at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: bytes, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\"), line.at < line.end else {
                bytes.append(byte)
                continue
            }
            let escaped = line.at.pointee
            line.at += 1
            switch escaped {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes.append(escaped)
            default: bytes += [byte, escaped]
            }
        }
        throw line.problem("a text is not closed")
    }

    private func time(_ line: inout LineCursor) throws(LineProblem) -> Timestamp {
        let behindValue = line.at
        line.skipBlanks()
        guard !line.isAtEnd, line.byte != UInt8(ascii: "#") else {
            throw line.problem("the sample has no timestamp; what is imported needs one", at: behindValue)
        }
        guard line.at > behindValue else { throw line.problem("a value should be a number, found \(line.found)") }
        let start = line.at
        let milliseconds = self.isInSeconds ? TimeText.seconds(&line) : TimeText.milliseconds(&line)
        guard let milliseconds, line.isAtEnd || line.byte == 0x20 || line.byte == 0x09 || line.byte == 0x0D else {
            line.at = start
            let unit = self.isInSeconds ? "seconds" : "milliseconds"
            throw line.problem("a timestamp should be Unix time in \(unit), found \(line.found)")
        }
        guard JSONLinesParser.moments.contains(milliseconds) else {
            let unit = self.isInSeconds ? "seconds; milliseconds are read by the format prometheus" : "milliseconds"
            throw line.problem("the timestamp is beyond the year 9999 in \(unit)", at: start)
        }
        return Timestamp(milliseconds: milliseconds)
    }
}
