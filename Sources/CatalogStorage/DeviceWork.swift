// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

/// A time in which work is done on a device.
package struct MaintenanceRow: Hashable, Sendable {
    /// Given out by the store; 0 before.
    package var id: Int64
    package var device: String
    package var start: Timestamp
    /// Exclusive.
    package var end: Timestamp
    /// The person.
    package var who: String
    /// Whose token it came with, or `socket`.
    package var via: String
    package var note: String
    package var enteredAt: Timestamp
    /// Who ended it before its time; nil where it ends by itself.
    package var endedBy: String?

    package init(
        id: Int64 = 0,
        device: String,
        start: Timestamp,
        end: Timestamp,
        who: String,
        via: String,
        note: String,
        enteredAt: Timestamp,
        endedBy: String? = nil
    ) {
        self.id = id
        self.device = device
        self.start = start
        self.end = end
        self.who = who
        self.via = via
        self.note = note
        self.enteredAt = enteredAt
        self.endedBy = endedBy
    }
}

/// What an instrument showed before and after it was calibrated.
package struct CalibrationRow: Hashable, Sendable {
    /// Given out by the store; 0 before.
    package var id: Int64
    package var device: String
    package var metric: String
    package var time: Timestamp
    /// In the metric's canonical unit.
    package var before: Double
    package var after: Double
    /// What a standard showed at the same time, where there was one.
    package var reference: Double?
    package var who: String
    package var via: String
    package var note: String
    package var enteredAt: Timestamp

    package init(
        id: Int64 = 0,
        device: String,
        metric: String,
        time: Timestamp,
        before: Double,
        after: Double,
        reference: Double?,
        who: String,
        via: String,
        note: String,
        enteredAt: Timestamp
    ) {
        self.id = id
        self.device = device
        self.metric = metric
        self.time = time
        self.before = before
        self.after = after
        self.reference = reference
        self.who = who
        self.via = via
        self.note = note
        self.enteredAt = enteredAt
    }
}

/// Something that was done with a device: it was registered, surveyed, replaced, retired.
package struct DeviceFact: Hashable, Sendable {
    package var device: String
    package var time: Timestamp
    package var kind: String
    package var what: String
    package var who: String
    package var via: String

    package init(device: String, time: Timestamp, kind: String, what: String, who: String, via: String) {
        self.device = device
        self.time = time
        self.kind = kind
        self.what = what
        self.who = who
        self.via = via
    }
}

extension CatalogStore {
    /// Adds to the histories of devices.
    package func add(_ facts: [DeviceFact]) throws {
        try self.pool.write { database in
            for fact in facts {
                try database.execute(
                    sql: "INSERT INTO device_history (device, time, kind, what, who, via) VALUES (?, ?, ?, ?, ?, ?)",
                    arguments: [
                        fact.device, fact.time.milliseconds, fact.kind, fact.what, fact.who, fact.via,
                    ]
                )
            }
        }
    }

    /// What was done with a device, oldest first.
    package func history(device: String) throws -> [DeviceFact] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM device_history WHERE device = ? ORDER BY id",
                arguments: [device]
            )
            .map { row in
                DeviceFact(
                    device: row["device"],
                    time: Timestamp(milliseconds: row["time"]),
                    kind: row["kind"],
                    what: row["what"],
                    who: row["who"],
                    via: row["via"]
                )
            }
        }
    }

    /// Puts a device under maintenance; a window of it that contains the start ends there.
    ///
    /// - Returns: The number of the row.
    package func begin(_ row: MaintenanceRow) throws -> Int64 {
        try self.pool.write { database in
            try database.execute(
                sql:
                    "UPDATE maintenance SET end_at = ?2, ended_by = ?3 WHERE device = ?1 AND start_at <= ?2 AND end_at > ?2",
                arguments: [row.device, row.start.milliseconds, row.who]
            )
            try database.execute(
                sql: """
                    INSERT INTO maintenance (device, start_at, end_at, who, via, note, entered_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    row.device, row.start.milliseconds, row.end.milliseconds, row.who, row.via, row.note,
                    row.enteredAt.milliseconds,
                ]
            )
            return database.lastInsertedRowID
        }
    }

    /// Ends the maintenance of a device before its time.
    ///
    /// - Returns: Whether there was one at that moment.
    package func endMaintenance(of device: String, at moment: Timestamp, by who: String) throws -> Bool {
        try self.pool.write { database in
            try database.execute(
                sql:
                    "UPDATE maintenance SET end_at = ?2, ended_by = ?3 WHERE device = ?1 AND start_at < ?2 AND end_at > ?2",
                arguments: [device, moment.milliseconds, who]
            )
            return database.changesCount > 0
        }
    }

    /// The newest windows, newest first; of one device where it is named.
    package func maintenance(device: String? = nil, limit: Int) throws -> [MaintenanceRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM maintenance WHERE ?1 IS NULL OR device = ?1 ORDER BY start_at DESC, id DESC LIMIT ?2
                    """,
                arguments: [device, limit]
            )
            .map(MaintenanceRow.init(row:))
        }
    }

    /// - Returns: The number of the row.
    package func add(_ row: CalibrationRow) throws -> Int64 {
        try self.pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO calibrations
                    (device, metric, time, before, after, reference, who, via, note, entered_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    row.device, row.metric, row.time.milliseconds, row.before, row.after, row.reference, row.who,
                    row.via, row.note, row.enteredAt.milliseconds,
                ]
            )
            return database.lastInsertedRowID
        }
    }

    /// The calibrations of a device, newest first.
    package func calibrations(device: String, limit: Int) throws -> [CalibrationRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM calibrations WHERE device = ? ORDER BY time DESC, id DESC LIMIT ?",
                arguments: [device, limit]
            )
            .map(CalibrationRow.init(row:))
        }
    }
}

extension MaintenanceRow {
    fileprivate init(row: Row) {
        self.init(
            id: row["id"],
            device: row["device"],
            start: Timestamp(milliseconds: row["start_at"]),
            end: Timestamp(milliseconds: row["end_at"]),
            who: row["who"],
            via: row["via"],
            note: row["note"],
            enteredAt: Timestamp(milliseconds: row["entered_at"]),
            endedBy: row["ended_by"]
        )
    }
}

extension CalibrationRow {
    fileprivate init(row: Row) {
        self.init(
            id: row["id"],
            device: row["device"],
            metric: row["metric"],
            time: Timestamp(milliseconds: row["time"]),
            before: row["before"],
            after: row["after"],
            reference: row["reference"],
            who: row["who"],
            via: row["via"],
            note: row["note"],
            enteredAt: Timestamp(milliseconds: row["entered_at"])
        )
    }
}
