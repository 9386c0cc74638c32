// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

/// What is registered.
package enum RegistryKind: String, CaseIterable, Sendable {
    case site
    case area
    case device
    case model
}

/// One registered thing, as its caller's JSON.
package struct RegistryRow: Hashable, Sendable {
    package var kind: RegistryKind
    package var id: String
    package var json: String
    package var updatedAt: Timestamp
    /// Since when it is out of use; `nil` while it is in use.
    package var retiredAt: Timestamp?

    package init(
        kind: RegistryKind,
        id: String,
        json: String,
        updatedAt: Timestamp,
        retiredAt: Timestamp? = nil
    ) {
        self.kind = kind
        self.id = id
        self.json = json
        self.updatedAt = updatedAt
        self.retiredAt = retiredAt
    }
}

extension CatalogStore {
    /// Registers or changes many things in one transaction; one that was retired is in use again, unless its row
    /// says otherwise.
    ///
    /// A device that is retired loses its account at the broker for good: what has its id later is another.
    package func register(_ rows: [RegistryRow]) throws {
        try self.pool.write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO registry (kind, id, json, updated_at, retired_at) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (kind, id) DO UPDATE SET
                        json = excluded.json, updated_at = excluded.updated_at, retired_at = excluded.retired_at
                    """
            )
            for row in rows {
                try statement.execute(arguments: [
                    row.kind.rawValue, row.id, row.json, row.updatedAt.milliseconds, row.retiredAt?.milliseconds,
                ])
                guard row.kind == .device, let retiredAt = row.retiredAt else { continue }
                try database.execute(
                    sql: """
                        UPDATE credentials SET revoked_at = ? WHERE device = ? AND role = ? AND revoked_at IS NULL
                        """,
                    arguments: [retiredAt.milliseconds, row.id, AccountRole.device.rawValue]
                )
            }
        }
    }

    /// What is registered, by id; what is retired only when asked for.
    package func registered(_ kind: RegistryKind, includingRetired: Bool = false) throws -> [RegistryRow] {
        try self.pool.read { database in
            let condition = includingRetired ? "" : "AND retired_at IS NULL"
            return
                try Row.fetchAll(
                    database,
                    sql: "SELECT * FROM registry WHERE kind = ? \(condition) ORDER BY id",
                    arguments: [kind.rawValue]
                )
                .compactMap(RegistryRow.init(row:))
        }
    }

    package func registered(_ kind: RegistryKind, id: String) throws -> RegistryRow? {
        try self.pool.read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT * FROM registry WHERE kind = ? AND id = ?",
                arguments: [kind.rawValue, id]
            )
            .flatMap(RegistryRow.init(row:))
        }
    }

    /// Takes a thing out of use; it stays on record.
    ///
    /// - Throws: ``CatalogStorageError`` `notFound` where nothing in use has this id.
    package func retire(_ kind: RegistryKind, id: String, at moment: Timestamp) throws {
        try self.pool.write { database in
            try database.execute(
                sql: "UPDATE registry SET retired_at = ? WHERE kind = ? AND id = ? AND retired_at IS NULL",
                arguments: [moment.milliseconds, kind.rawValue, id]
            )
            guard database.changesCount == 1 else {
                throw CatalogStorageError(.notFound, "no \(kind.rawValue) \"\(id)\" is registered and in use")
            }
        }
    }
}

extension RegistryRow {
    fileprivate init?(row: Row) {
        guard let kind = RegistryKind(rawValue: row["kind"]) else { return nil }
        let retired: Int64? = row["retired_at"]
        self.init(
            kind: kind,
            id: row["id"],
            json: row["json"],
            updatedAt: Timestamp(milliseconds: row["updated_at"]),
            retiredAt: retired.map { Timestamp(milliseconds: $0) }
        )
    }
}
