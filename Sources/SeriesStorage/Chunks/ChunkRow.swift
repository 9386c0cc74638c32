// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry

/// One chunk with its statistics, encoded and ready to be written.
struct ChunkRow: Sendable {
    let series: SeriesID
    let isOpen: Bool
    let isImport: Bool
    let position: JournalPosition
    let first: Timestamp
    let last: Timestamp
    let count: Int
    /// Samples whose time no older chunk of the series has.
    let fresh: Int
    let data: Data
    private let qualities: UInt16
    private let minimum: Double?
    private let maximum: Double?
    private let sum: Double
    private let firstValue: Double
    private let lastValue: Double

    /// Encodes; nil where there is no sample.
    init?(
        _ columns: Columns,
        series: SeriesID,
        position: JournalPosition,
        fresh: Int,
        isOpen: Bool = false,
        isImport: Bool = false
    ) {
        guard let first = columns.times.first, let last = columns.times.last,
            let firstValue = columns.values.first, let lastValue = columns.values.last
        else { return nil }
        self.series = series
        self.isOpen = isOpen
        self.isImport = isImport
        self.position = position
        self.first = first
        self.last = last
        self.count = columns.count
        self.fresh = fresh
        self.data = Data(ChunkCodec.encode(columns))
        self.qualities = columns.marks.reduce(0) { $0 | 1 << UInt16($1 & 0x0F) }
        let numbers = columns.values.filter { !$0.isNaN }
        self.minimum = numbers.min()
        self.maximum = numbers.max()
        self.sum = numbers.reduce(0, +)
        self.firstValue = firstValue
        self.lastValue = lastValue
    }

    /// Writes the row and returns what the index keeps of it.
    func insert(into db: Database) throws -> ChunkSummary {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO chunk (series, is_open, is_import, position, first_time, last_time, count, fresh,
                    qualities, minimum, maximum, sum, first_value, last_value, data)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(arguments: [
            Int64(self.series.rawValue), self.isOpen, self.isImport, self.position.rawValue, self.first.milliseconds,
            self.last.milliseconds, self.count, self.fresh, Int64(self.qualities), self.minimum, self.maximum,
            self.sum.storable, self.firstValue.storable, self.lastValue.storable, self.data,
        ])
        return ChunkSummary(
            id: db.lastInsertedRowID,
            position: self.position,
            first: self.first,
            last: self.last,
            count: self.count
        )
    }
}

extension Double {
    /// SQLite has no NaN.
    var storable: Double? { self.isNaN ? nil : self }
}

extension Data {
    var bytes: [UInt8] { [UInt8](self) }
}
