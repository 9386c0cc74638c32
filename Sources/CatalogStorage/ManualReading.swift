// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

/// Who entered which value when (人工置数); the value itself is in its series.
package struct ManualReading: Hashable, Sendable {
    /// Given out by the store; 0 before.
    package var id: Int64
    package var site: String
    /// The stored labels of the series as JSON.
    package var series: String
    package var time: Timestamp
    package var value: Double
    /// The person.
    package var who: String
    /// Whose token it came with, or `socket`.
    package var via: String
    package var note: String
    package var enteredAt: Timestamp
    /// The value that was there and gave way; nil where there was none.
    package var replacedValue: Double?
    /// The method of that one, such as `measured` or `manual`.
    package var replacedMethod: String?
    /// Whether the value is known to be on disk; without it the process ended while it was written.
    package var isStored: Bool

    package init(
        id: Int64 = 0,
        site: String,
        series: String,
        time: Timestamp,
        value: Double,
        who: String,
        via: String,
        note: String,
        enteredAt: Timestamp,
        replacedValue: Double? = nil,
        replacedMethod: String? = nil,
        isStored: Bool = false
    ) {
        self.id = id
        self.site = site
        self.series = series
        self.time = time
        self.value = value
        self.who = who
        self.via = via
        self.note = note
        self.enteredAt = enteredAt
        self.replacedValue = replacedValue
        self.replacedMethod = replacedMethod
        self.isStored = isStored
    }
}

extension CatalogStore {
    /// Records who enters a value, before it is stored.
    ///
    /// - Returns: The number of the record.
    package func add(_ reading: ManualReading) throws -> Int64 {
        try self.pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO manual_readings
                    (site, series, time, value, who, via, note, entered_at, replaced_value, replaced_method, stored)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    reading.site, reading.series, reading.time.milliseconds, reading.value, reading.who, reading.via,
                    reading.note, reading.enteredAt.milliseconds, reading.replacedValue, reading.replacedMethod,
                    reading.isStored,
                ]
            )
            return database.lastInsertedRowID
        }
    }

    /// Notes that the value of a record is on disk.
    package func noteStored(manualReading id: Int64) throws {
        try self.pool.write { database in
            try database.execute(sql: "UPDATE manual_readings SET stored = 1 WHERE id = ?", arguments: [id])
        }
    }

    /// Takes back a record whose value could not be stored.
    package func withdraw(manualReading id: Int64) throws {
        try self.pool.write { database in
            try database.execute(sql: "DELETE FROM manual_readings WHERE id = ? AND stored = 0", arguments: [id])
        }
    }

    /// The newest records, newest first; of one site where it is named.
    package func manualReadings(site: String? = nil, limit: Int) throws -> [ManualReading] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM manual_readings WHERE ?1 IS NULL OR site = ?1
                    ORDER BY entered_at DESC, id DESC LIMIT ?2
                    """,
                arguments: [site, limit]
            )
            .map(ManualReading.init(row:))
        }
    }
}

extension ManualReading {
    fileprivate init(row: Row) {
        self.init(
            id: row["id"],
            site: row["site"],
            series: row["series"],
            time: Timestamp(milliseconds: row["time"]),
            value: row["value"],
            who: row["who"],
            via: row["via"],
            note: row["note"],
            enteredAt: Timestamp(milliseconds: row["entered_at"]),
            replacedValue: row["replaced_value"],
            replacedMethod: row["replaced_method"],
            isStored: row["stored"]
        )
    }
}
