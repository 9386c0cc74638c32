// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Telemetry

/// A value that gave way to another at the same time.
struct Revision {
    let series: SeriesID
    let time: Timestamp
    let position: JournalPosition
    /// Which one of its entry.
    let ordinal: Int
    let oldValue: Double
    let oldMark: SampleMark
    let newValue: Double

    /// Writes rows of the audit table; those that are there already stay, as after a crash in the middle of a sealing.
    static func write(_ revisions: [Revision], to db: Database) throws {
        let sql = """
            INSERT OR IGNORE INTO revision (series, time, position, ordinal, old_value, old_mark, new_value)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """
        for revision in revisions {
            try db.cachedStatement(sql: sql)
                .execute(arguments: [
                    Int64(revision.series.rawValue), revision.time.milliseconds, revision.position.rawValue,
                    revision.ordinal, revision.oldValue.storable, Int64(revision.oldMark.rawValue),
                    revision.newValue.storable,
                ])
        }
    }
}

extension Double {
    /// SQLite has no NaN.
    fileprivate var storable: Double? { self.isNaN ? nil : self }
}
