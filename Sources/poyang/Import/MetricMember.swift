// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Which columns of a CSV file hold time, metric, value and labels, where a row is one sample.
struct LongForm {
    let time: Int
    let timeFormat: TimeFormat
    let metric: Int
    let value: Int
    let labels: [(name: String, index: Int)]
    /// Of times without a zone.
    let zone = TimeZone(secondsFromGMT: 8 * 3600) ?? .gmt

    /// - Throws: ``CommandFailure`` that says which column is missing.
    init(header: [String], path: String) throws {
        func index(_ name: String) throws -> Int {
            if let index = header.firstIndex(of: name) { return index }
            throw CommandFailure(
                "\(path):1: no column '\(name)'; without --map a row is one sample: time (or time_ms), metric, value "
                    + "and a column for each label; there are: \(header.joined(separator: ", "))"
            )
        }
        let milliseconds = header.firstIndex(of: "time_ms")
        let time = try milliseconds ?? index("time")
        let metric = try index("metric")
        let value = try index("value")
        self.time = time
        self.timeFormat = milliseconds == nil ? .rfc3339 : TimeFormat("unix_ms") ?? .rfc3339
        self.metric = metric
        self.value = value
        self.labels = header.enumerated().filter { ![time, metric, value].contains($0.offset) }
            .map { (name: $0.element, index: $0.offset) }
    }

    /// The `metric` member of a JSON line.
    func metricJSON(of record: CSVReader.Record) throws(RowProblem) -> String {
        let name = record.fields[self.metric].trimmingBlanks()
        if name.isEmpty { throw RowProblem(line: record.line, message: "the metric is blank") }
        let labels = self.labels.map { (key: $0.name, value: record.fields[$0.index].trimmingBlanks()) }
        return LongForm.json(metric: name, labels: labels.filter { !$0.value.isEmpty })
    }

    static func json(metric: String, labels: [(key: String, value: String)]) -> String {
        let name = [(key: "__name__", value: JSONValue.string(metric))]
        return JSONValue.objectText(name + labels.map { (key: $0.key, value: JSONValue.string($0.value)) })
    }
}
