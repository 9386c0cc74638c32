// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The rows of one recorded file in the order of time.
///
/// A first pass looks whether the file is in order already; then a second one streams it. A file that is not in order,
/// and one with interpolation, is held in memory.
final class RecordedFile {
    let map: RecordingMap
    /// Rows in the file, computed ones included.
    let count: Int
    /// What a person should know: what was sorted, what was left out.
    let notes: [String]
    private var source: Source

    private enum Source {
        case stream(RecordingReader)
        case memory([RecordedRow], next: Int)
    }

    init(_ path: String, map: RecordingMap) throws {
        var problems: [RowProblem] = []
        var count = 0
        var isOrdered = true
        var previous = Timestamp.distantPast
        do {
            let pass = try RecordingReader(path, map: map) { problems.append($0) }
            while let row = try pass.next() {
                isOrdered = isOrdered && row.time >= previous
                previous = row.time
                count += 1
            }
        }
        var notes = problems.prefix(5).map { "\(path):\($0.line): \($0.message); left out" }
        if problems.count > 5 { notes.append("\(path): \(problems.count - 5) more were left out") }
        if count == 0 { notes.append("\(path): no row has a value that the map asks for") }
        if !isOrdered { notes.append("\(path): the rows are not in the order of time; sorted") }
        let reader = try RecordingReader(path, map: map) { _ in }
        if isOrdered, map.interpolation == nil {
            self.source = .stream(reader)
        } else {
            var rows: [RecordedRow] = []
            while let row = try reader.next() { rows.append(row) }
            rows = rows.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                .map(\.element)
            let computed = map.interpolation?.rows(between: rows) ?? []
            rows = (rows + computed).sorted { ($0.time, $0.line) < ($1.time, $1.line) }
            if !computed.isEmpty { notes.append("\(path): \(computed.count) values interpolated") }
            count = rows.count
            self.source = .memory(rows, next: 0)
        }
        self.map = map
        self.count = count
        self.notes = notes
    }

    func next() throws -> RecordedRow? {
        switch self.source {
        case .stream(let reader):
            return try reader.next()
        case .memory(let rows, let next):
            self.source = .memory(rows, next: next + 1)
            return next < rows.count ? rows[next] : nil
        }
    }
}
