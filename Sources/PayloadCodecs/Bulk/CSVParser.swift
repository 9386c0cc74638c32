// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Reads the rows of a CSV file in the long form, a sample per row.
struct CSVParser {
    private let table: CSVTable
    private let columns: [Column]
    private var keys = RawKeyTable()
    private var fields: [CSVField] = []
    private var key: [UInt8] = []

    /// What ``CSVTable/Role`` says, without the names.
    private enum Column {
        case key(isMetric: Bool)
        case time(CSVTable.Role.Clock)
        case value, quality, method, simulated, failedTest
    }

    init(table: CSVTable) {
        self.table = table
        self.columns = table.roles.map { role in
            switch role {
            case .label: .key(isMetric: false)
            case .metric: .key(isMetric: true)
            case .time(let clock): .time(clock)
            case .value: .value
            case .quality: .quality
            case .method: .method
            case .simulated: .simulated
            case .failedTest: .failedTest
            }
        }
        self.fields.reserveCapacity(table.roles.count + 1)
    }

    /// Reads one record; a row whose value is blank says nothing.
    mutating func read(_ line: inout LineCursor, number: Int, into piece: inout BulkPiece) throws(LineProblem) {
        let columns = self.columns.count
        guard CSVField.split(line, self.table.separator, maximum: columns, into: &self.fields) else {
            throw line.problem("a quote is opened and never closed")
        }
        guard self.fields.count <= columns else {
            throw line.problem("more fields than the header's \(columns)", at: self.fields[columns].start)
        }
        var time: Int64?
        var value: Double?
        var quality = Quality.notEvaluated
        var method = Telemetry.Method.measured
        var isSimulated = false
        var failedTest: QualityTest?
        var hasMetric = false
        self.key.removeAll(keepingCapacity: true)
        for index in self.fields.indices {
            let whole = self.fields[index]
            switch self.columns[index] {
            case .key(let isMetric):
                let field = whole.trimmed()
                if isMetric { hasMetric = !field.isEmpty }
                // With its length, so that two rows have one key only if their labels agree.
                let mark = UInt32(truncatingIfNeeded: field.bytes.count) << 1 | (field.isUnusual ? 1 : 0)
                withUnsafeBytes(of: mark) { self.key.append(contentsOf: $0) }
                self.key.append(contentsOf: field.bytes)
            case .time(let clock): time = try self.time(whole, clock, line)
            case .value: value = try self.value(whole, line)
            case .quality:
                let field = whole.trimmed(evenQuoted: true)
                if !field.isEmpty {
                    guard field.bytes.count == 1, let known = Quality(rawValue: field.start.pointee &- 0x30) else {
                        throw line.problem("a quality is 1, 2, 3, 4 or 9, found '\(field.text)'", at: field.start)
                    }
                    quality = known
                }
            case .method:
                let field = whole.trimmed(evenQuoted: true)
                if !field.isEmpty {
                    method = try self.method(field, line)
                }
            case .simulated: isSimulated = try self.truth(whole, line)
            case .failedTest:
                let field = whole.trimmed(evenQuoted: true)
                if !field.isEmpty { failedTest = try self.failedTest(field, line) }
            }
        }
        guard let value else { return }
        guard let time else { throw line.problem("the time is blank") }
        guard hasMetric else { throw line.problem("the metric is blank") }
        let series = try self.series(line, number: number, &piece)
        var mark = SampleMark(quality: quality, method: method, simulated: isSimulated)
        if let failedTest, quality == .suspect { mark = mark.withQuality(of: SampleMark(failed: failedTest)) }
        piece.series[series].append(Timestamp(milliseconds: time), value, mark.rawValue)
        piece.samples += 1
    }

    private func failedTest(_ field: CSVField, _ line: LineCursor) throws(LineProblem) -> QualityTest {
        if let test = QualityTest(name: field.text) { return test }
        let known = QualityTest.allCases.map(\.description).joined(separator: ", ")
        throw line.problem("a failed test is one of \(known), found '\(field.text)'", at: field.start)
    }

    private func time(_ whole: CSVField, _ clock: CSVTable.Role.Clock, _ line: LineCursor) throws(LineProblem) -> Int64?
    {
        let field = whole.trimmed(evenQuoted: true)
        guard !field.isEmpty else { return nil }
        var text = LineCursor(field.start, field.end)
        let milliseconds: Int64?
        let form: String
        switch clock {
        case .seconds:
            milliseconds = TimeText.seconds(&text)
            form = "Unix time in seconds"
        case .milliseconds:
            milliseconds = TimeText.milliseconds(&text)
            form = "Unix time in milliseconds"
        case .civil:
            milliseconds = TimeText.rfc3339(&text)
            form = "RFC 3339 time, as 2022-06-21T16:00:00+08:00"
        }
        guard let milliseconds, text.isAtEnd, JSONLinesParser.moments.contains(milliseconds) else {
            throw line.problem("'\(field.text)' is no \(form)", at: field.start)
        }
        return milliseconds
    }

    private func value(_ whole: CSVField, _ line: LineCursor) throws(LineProblem) -> Double? {
        let field = whole.trimmed(evenQuoted: true)
        guard !field.isEmpty else { return nil }
        // To the end of the record, so that the fast way may look ahead; the number must end with the field.
        var text = LineCursor(field.start, line.end)
        guard let value = try? ValueText.value(&text), text.at == field.end else {
            throw line.problem("value '\(field.text)' is no number", at: field.start)
        }
        return value
    }

    private func method(_ field: CSVField, _ line: LineCursor) throws(LineProblem) -> Telemetry.Method {
        if field.isText("measured") { return .measured }
        if let method = Telemetry.Method(name: field.text) { return method }
        throw line.problem(
            "a method is measured, manual, interpolated or gap_total, found '\(field.text)'",
            at: field.start
        )
    }

    private func truth(_ whole: CSVField, _ line: LineCursor) throws(LineProblem) -> Bool {
        let field = whole.trimmed(evenQuoted: true)
        if field.isEmpty || field.isText("false") { return false }
        switch field.text.lowercased() {
        case "", "0", "false": return false
        case "1", "true": return true
        default: throw line.problem("simulated is true or false, found '\(field.text)'", at: field.start)
        }
    }

    private mutating func series(_ line: LineCursor, number: Int, _ piece: inout BulkPiece) throws(LineProblem) -> Int {
        if let known = self.key.withUnsafeBytes({ self.keys.known($0) }) { return known }
        var pairs = LabelPairs()
        for (index, field) in self.fields.enumerated() {
            let name: String
            switch self.table.roles[index] {
            case .metric: name = Labels.metricName
            case .label(let label): name = label
            default: continue
            }
            if let problem = pairs.add(name, field.trimmed().text) { throw line.problem(problem, at: field.start) }
        }
        let series = self.key.withUnsafeBytes { self.keys.number(of: $0) }
        piece.series.append(BulkSeries(labels: pairs.labels, line: number))
        return series
    }
}
