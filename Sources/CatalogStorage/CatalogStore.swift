// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import Synchronization
internal import Telemetry

/// `catalog.db`: the processed position with all that follows from it, the registry and the tokens.
///
/// Any thread may read; writes wait for one another. Every commit is on disk when it returns (WAL, synchronous FULL).
package final class CatalogStore: Sendable {
    let pool: DatabasePool

    /// The data directory's own id: a random UUID made once, in lower case.
    package let directoryID: String
    private let alertHistoryLimit: Int64
    /// All tokens by the hashes of their secrets; nil until somebody asks.
    ///
    /// Asked for at every request; only this store makes and revokes them.
    let tokensByHash = Mutex<[String: TokenRow]?>(nil)

    /// Intervals of alerts that are kept, about 30 MB; of more the oldest that have ended are forgotten.
    package static let alertHistoryLimit: Int64 = 100_000

    /// Opens the database, makes it where there is none and brings it to the newest schema.
    ///
    /// - Throws: What SQLite says about a file that cannot be opened, is damaged, or is from a newer version.
    package init(path: String, alertHistoryLimit: Int64 = CatalogStore.alertHistoryLimit) throws {
        self.alertHistoryLimit = alertHistoryLimit
        var configuration = Configuration()
        configuration.label = "catalog"
        configuration.busyMode = .timeout(5)
        self.pool = try DatabasePool(path: path, configuration: configuration)
        // Opening a pool sets NORMAL on its one writer, whatever the configuration says: so FULL is set after that.
        try self.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        let migrator = CatalogMigrations.all
        if try self.pool.read({ try migrator.hasBeenSuperseded($0) }) {
            throw CatalogStorageError(
                .unreadable,
                "\(path) was written by a newer version of poyang; run that version or a newer one"
            )
        }
        try migrator.migrate(self.pool)
        self.directoryID = try self.pool.write { database in
            let stored = try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'directory_id'")
            if let stored { return stored }
            let made = UUID().uuidString.lowercased()
            try database.execute(sql: "INSERT INTO meta (key, value) VALUES ('directory_id', ?)", arguments: [made])
            return made
        }
    }

    /// Stores everything of one batch in one transaction.
    ///
    /// - Returns: The feed's new rows with their sequence numbers, in the order of `batch.feed`.
    /// - Throws: ``CatalogStorageError`` `positionBehind` where the position would go back; otherwise what SQLite says.
    ///   Whatever is thrown, nothing of the batch was stored.
    @discardableResult
    package func commit(_ batch: ProcessedBatch) throws -> [FeedRow] {
        try self.pool.write { database in
            try database.advance(to: batch.position)
            try database.upsert(batch.alertStates, removing: batch.removedAlertStates)
            try database.record(batch.alertHistory, keeping: self.alertHistoryLimit)
            try database.upsert(batch.clocks)
            try database.raise(batch.counters)
            try database.upsert(batch.warnings)
            let rows = try batch.feed.map { try database.append($0) }
            try database.append(batch.ledger)
            return rows
        }
    }

    /// Moves what the write-ahead log holds into the database file; for a thread that nobody waits for.
    package func checkpoint() throws {
        _ = try self.pool.writeWithoutTransaction { try $0.checkpoint(.passive) }
    }

    /// Writes a consistent copy to a new file while this store is in use.
    package func backup(to path: String) throws {
        try self.pool.backup(to: DatabaseQueue(path: path))
    }

    /// How writes reach the disk, for a check of the installation: journal mode and `synchronous` (2 is FULL).
    package func journalSettings() throws -> [String] {
        try self.pool.writeWithoutTransaction { database in
            try ["journal_mode", "synchronous"].map { try String.fetchOne(database, sql: "PRAGMA \($0)") ?? "" }
        }
    }

    /// Closes the database; the store is not to be used afterwards.
    package func close() throws {
        try self.pool.close()
    }
}

extension Database {
    fileprivate func advance(to position: JournalPosition?) throws {
        guard let position else { return }
        let statement = try self.cachedStatement(
            sql: "UPDATE processed SET position = ?1 WHERE id = 1 AND position <= ?1"
        )
        try statement.execute(arguments: [position.rawValue])
        guard self.changesCount == 1 else {
            throw CatalogStorageError(
                .positionBehind,
                "position \(position.rawValue) lies before the processed position; only one process may own the data"
            )
        }
    }

    fileprivate func upsert(_ states: [AlertStateRow], removing removed: [AlertStateRow.Key]) throws {
        let upsert = try self.cachedStatement(
            sql: """
                INSERT INTO alert_states (rule, labels, json) VALUES (?, ?, ?)
                ON CONFLICT (rule, labels) DO UPDATE SET json = excluded.json
                """
        )
        for state in states {
            try upsert.execute(arguments: [state.key.rule, state.key.labels, state.json])
        }
        let remove = try self.cachedStatement(sql: "DELETE FROM alert_states WHERE rule = ? AND labels = ?")
        for key in removed { try remove.execute(arguments: [key.rule, key.labels]) }
    }

    fileprivate func upsert(_ clocks: [ClockRow]) throws {
        let statement = try self.cachedStatement(
            sql: "INSERT INTO clocks (key, json) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET json = excluded.json"
        )
        for clock in clocks { try statement.execute(arguments: [clock.key, clock.json]) }
    }

    fileprivate func raise(_ counters: [String: Int64]) throws {
        let statement = try self.cachedStatement(
            sql: """
                INSERT INTO counters (name, value) VALUES (?, ?)
                ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)
                """
        )
        for (name, value) in counters { try statement.execute(arguments: [name, value]) }
    }

    fileprivate func upsert(_ warnings: [WarningRow]) throws {
        let statement = try self.cachedStatement(
            sql: """
                INSERT INTO warnings (number, org, site, hazard, status, active, issued_at, updated_at, json)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (number) DO UPDATE SET
                    active = excluded.active, updated_at = excluded.updated_at, json = excluded.json
                """
        )
        for warning in warnings {
            try statement.execute(arguments: [
                warning.number, warning.org, warning.site, warning.hazard, warning.status, warning.isActive,
                warning.issuedAt.milliseconds, warning.updatedAt.milliseconds, warning.json,
            ])
        }
    }

    fileprivate func append(_ entry: FeedEntry) throws -> FeedRow {
        let statement = try self.cachedStatement(
            sql: "INSERT INTO feed (number, identifier, action, sent_at, json) VALUES (?, ?, ?, ?, ?)"
        )
        try statement.execute(arguments: [
            entry.number, entry.identifier, entry.action, entry.sentAt.milliseconds, entry.json,
        ])
        return FeedRow(sequence: self.lastInsertedRowID, entry: entry)
    }

    fileprivate func append(_ facts: [LedgerFact]) throws {
        guard !facts.isEmpty else { return }
        let last = try Row.fetchOne(self, sql: "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1")
        var sequence: Int64 = last?["seq"] ?? 0
        var hash: String = last?["hash"] ?? LedgerChain.origin
        let statement = try self.cachedStatement(
            sql: """
                INSERT INTO ledger (seq, number, time, processed_at, kind, who, what, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        for fact in facts {
            sequence += 1
            hash = LedgerChain.hash(after: hash, sequence: sequence, fact: fact)
            try statement.execute(arguments: [
                sequence, fact.number, fact.time.milliseconds, fact.processedAt.milliseconds, fact.kind, fact.who,
                fact.what, hash,
            ])
        }
    }
}
