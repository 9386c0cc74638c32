// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// One row of a recording: what was so at one moment.
struct RecordedRow: Hashable, Sendable {
    struct Value: Hashable, Sendable {
        /// Which of the map's columns.
        let column: Int
        let value: Double
        let method: Telemetry.Method
    }

    let time: Timestamp
    /// Where it stands in the file, from 1; 0 for computed rows.
    let line: Int
    let values: [Value]
}

/// Reads a CSV file as a map says, row by row, in the order of the file.
///
/// A blank cell is a missing value, never zero; a row without any value is left out. A row that cannot be read is
/// reported and left out; the others are not harmed.
final class RecordingReader {
    private let map: RecordingMap
    private let csv: CSVReader
    private var times: LocalTimeReader
    private let timeIndices: [Int]
    private let columns: [(value: Int, method: Int?)]
    private let filters: [(index: Int, value: String)]
    private let report: (RowProblem) -> Void

    /// - Parameters:
    ///   - path: The CSV file.
    ///   - map: What its columns are.
    ///   - report: Called for every row or cell that is left out, blanks apart.
    /// - Throws: ``CommandFailure`` when the file cannot be read or lacks a column of the map.
    init(_ path: String, map: RecordingMap, report: @escaping (RowProblem) -> Void) throws {
        let csv = try CSVReader(path)
        let header = csv.header
        func index(_ name: String) throws -> Int {
            if let index = header.firstIndex(of: name) { return index }
            throw CommandFailure(
                "\(path):1: no column '\(name)', which the map names; there are: \(header.joined(separator: ", "))"
            )
        }
        self.timeIndices = try map.timeColumns.map(index)
        self.columns = try map.columns.map { (value: try index($0.name), method: try $0.methodColumn.map(index)) }
        self.filters = try map.filters.map { (index: try index($0.column), value: $0.value) }
        self.map = map
        self.times = LocalTimeReader(zone: map.zone, format: map.format)
        self.csv = csv
        self.report = report
    }

    func next() throws -> RecordedRow? {
        while true {
            do {
                guard let record = try self.csv.next() else { return nil }
                guard self.filters.allSatisfy({ record.fields[$0.index].trimmingBlanks() == $0.value }) else {
                    continue
                }
                let text = self.timeIndices.map { record.fields[$0].trimmingBlanks() }.joined(separator: " ")
                let time: Timestamp
                do {
                    time = try self.times.read(text)
                } catch {
                    throw RowProblem(line: record.line, message: error.message)
                }
                guard time >= self.map.from, time < self.map.end else { continue }
                let values = self.values(of: record)
                if !values.isEmpty { return RecordedRow(time: time, line: record.line, values: values) }
            } catch let problem as RowProblem {
                self.report(problem)
            }
        }
    }

    private func values(of record: CSVReader.Record) -> [RecordedRow.Value] {
        var values: [RecordedRow.Value] = []
        for (number, indices) in self.columns.enumerated() {
            let text = record.fields[indices.value].trimmingBlanks()
            if text.isEmpty { continue }
            let name = self.map.columns[number].name
            guard let value = Double(text), value.isFinite else {
                self.report(RowProblem(line: record.line, message: "\(name) '\(text)' is no number"))
                continue
            }
            let methodText = indices.method.map { record.fields[$0].trimmingBlanks() } ?? ""
            guard let method = methodText.isEmpty ? .measured : Telemetry.Method(name: methodText) else {
                self.report(RowProblem(line: record.line, message: "'\(methodText)' is no method"))
                continue
            }
            values.append(RecordedRow.Value(column: number, value: value, method: method))
        }
        return values
    }
}
