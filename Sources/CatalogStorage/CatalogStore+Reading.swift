// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

extension CatalogStore {
    /// Journal entries up to this one are processed; `start` in a new store.
    package func processedPosition() throws -> JournalPosition {
        try self.pool.read { database in
            JournalPosition(rawValue: try Int64.fetchOne(database, sql: "SELECT position FROM processed") ?? 0)
        }
    }

    /// All alert states, by rule and labels.
    package func alertStates() throws -> [AlertStateRow] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT rule, labels, json FROM alert_states ORDER BY rule, labels")
                .map {
                    AlertStateRow(key: AlertStateRow.Key(rule: $0["rule"], labels: $0["labels"]), json: $0["json"])
                }
        }
    }

    package func clocks() throws -> [ClockRow] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT key, json FROM clocks ORDER BY key")
                .map {
                    ClockRow(key: $0["key"], json: $0["json"])
                }
        }
    }

    /// The last number given out, by sequence name.
    package func counters() throws -> [String: Int64] {
        try self.pool.read { database in
            var counters: [String: Int64] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT name, value FROM counters") {
                let name: String = row["name"]
                counters[name] = row["value"]
            }
            return counters
        }
    }

    /// Warnings in the order of their issue; all of them or only the active.
    package func warnings(activeOnly: Bool = false) throws -> [WarningRow] {
        try self.pool.read { database in
            let condition = activeOnly ? "WHERE active = 1" : ""
            return try Row.fetchAll(database, sql: "SELECT * FROM warnings \(condition) ORDER BY issued_at, number")
                .map(WarningRow.init(row:))
        }
    }

    /// Those that last, and those that ended within `span` of the newest of the same site, hazard and status, in the order
    /// of their newest steps.
    package func warnings(endedWithin span: Milliseconds) throws -> [WarningRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT warnings.* FROM warnings
                    JOIN (SELECT site, hazard, status, max(updated_at) AS newest FROM warnings GROUP BY site, hazard, status)
                        USING (site, hazard, status)
                    WHERE active = 1 OR updated_at >= newest - ?
                    ORDER BY updated_at, number
                    """,
                arguments: [span]
            )
            .map(WarningRow.init(row:))
        }
    }

    package func warning(number: String) throws -> WarningRow? {
        try self.pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM warnings WHERE number = ?", arguments: [number])
                .map(WarningRow.init(row:))
        }
    }

    /// The feed's rows after a sequence number, oldest first; 0 is before the first.
    package func feed(after sequence: Int64, limit: Int = 500) throws -> [FeedRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM feed WHERE seq > ? ORDER BY seq LIMIT ?",
                arguments: [sequence, limit]
            )
            .map(FeedRow.init(row:))
        }
    }

    /// Messages sent in [start, end], oldest first.
    package func feed(from start: Timestamp, through end: Timestamp, limit: Int = 500) throws -> [FeedRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM feed WHERE sent_at BETWEEN ? AND ? ORDER BY seq LIMIT ?",
                arguments: [start.milliseconds, end.milliseconds, limit]
            )
            .map(FeedRow.init(row:))
        }
    }

    package func feed(identifier: String) throws -> FeedRow? {
        try self.pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM feed WHERE identifier = ?", arguments: [identifier])
                .map(FeedRow.init(row:))
        }
    }

    /// All messages of one warning, oldest first.
    package func feed(number: String) throws -> [FeedRow] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM feed WHERE number = ? ORDER BY seq", arguments: [number])
                .map(FeedRow.init(row:))
        }
    }

    /// The last sequence number that was given out, also when its row is gone; 0 before the first.
    package func latestFeedSequence() throws -> Int64 {
        try self.pool.read { database in
            try Int64.fetchOne(database, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'feed'") ?? 0
        }
    }

    /// The ledger's facts on one warning, oldest first.
    package func ledger(number: String) throws -> [LedgerRow] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM ledger WHERE number = ? ORDER BY seq", arguments: [number])
                .map(LedgerRow.init(row:))
        }
    }

    /// The whole ledger after a sequence number, oldest first.
    package func ledger(after sequence: Int64, limit: Int = 500) throws -> [LedgerRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?",
                arguments: [sequence, limit]
            )
            .map(LedgerRow.init(row:))
        }
    }

    /// Computes the hash chain of the whole ledger again.
    ///
    /// - Returns: How many facts there are and the hash of the last, to be compared with a copy kept elsewhere: a
    ///   ledger that was cut off at its end, or written anew as a whole, shows only there.
    /// - Throws: ``CatalogStorageError`` `ledgerBroken`, which names the first row that does not fit.
    package func verifyLedger() throws -> (count: Int64, head: String) {
        try self.pool.read { try LedgerChain.verify($0) }
    }
}

extension LedgerChain {
    /// As ``CatalogStore/verifyLedger()``.
    static func verify(_ database: Database) throws -> (count: Int64, head: String) {
        var count: Int64 = 0
        var head = LedgerChain.origin
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM ledger ORDER BY seq")
        while let row = try rows.next() {
            let entry = LedgerRow(row: row)
            count += 1
            head = LedgerChain.hash(after: head, sequence: count, fact: entry.fact)
            guard entry.sequence == count, entry.hash == head else {
                throw CatalogStorageError(
                    .ledgerBroken,
                    "ledger row \(entry.sequence) (warning \(entry.fact.number)) does not fit the row before it: "
                        + "it was changed, removed or put in later; compare with a backup"
                )
            }
        }
        return (count, head)
    }
}

extension WarningRow {
    fileprivate init(row: Row) {
        self.init(
            number: row["number"],
            org: row["org"],
            site: row["site"],
            hazard: row["hazard"],
            status: row["status"],
            isActive: row["active"],
            issuedAt: Timestamp(milliseconds: row["issued_at"]),
            updatedAt: Timestamp(milliseconds: row["updated_at"]),
            json: row["json"]
        )
    }
}

extension FeedRow {
    fileprivate init(row: Row) {
        let entry = FeedEntry(
            number: row["number"],
            identifier: row["identifier"],
            action: row["action"],
            sentAt: Timestamp(milliseconds: row["sent_at"]),
            json: row["json"]
        )
        self.init(sequence: row["seq"], entry: entry)
    }
}

extension LedgerRow {
    fileprivate init(row: Row) {
        let fact = LedgerFact(
            number: row["number"],
            time: Timestamp(milliseconds: row["time"]),
            processedAt: Timestamp(milliseconds: row["processed_at"]),
            kind: row["kind"],
            who: row["who"],
            what: row["what"]
        )
        self.init(sequence: row["seq"], fact: fact, hash: row["hash"])
    }
}
