// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

/// With what a device logs in at the broker; the password itself is not kept.
package struct CredentialRow: Hashable, Sendable {
    /// The device's id, which is its MQTT user.
    package var device: String
    /// As the broker's password file has it.
    package var hash: String
    package var createdAt: Timestamp
    /// Nil while it is valid.
    package var revokedAt: Timestamp?
    package var who: String

    package init(device: String, hash: String, createdAt: Timestamp, revokedAt: Timestamp? = nil, who: String) {
        self.device = device
        self.hash = hash
        self.createdAt = createdAt
        self.revokedAt = revokedAt
        self.who = who
    }
}

extension CatalogStore {
    /// Puts credentials in the place of those that the devices had.
    package func put(_ rows: [CredentialRow]) throws {
        try self.pool.write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO credentials (device, hash, created_at, revoked_at, who) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (device) DO UPDATE SET
                        hash = excluded.hash, created_at = excluded.created_at, revoked_at = excluded.revoked_at,
                        who = excluded.who
                    """
            )
            for row in rows {
                try statement.execute(arguments: [
                    row.device, row.hash, row.createdAt.milliseconds, row.revokedAt?.milliseconds, row.who,
                ])
            }
        }
    }

    /// By device.
    package func credentials() throws -> [CredentialRow] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM credentials ORDER BY device")
                .map { row in
                    let revoked: Int64? = row["revoked_at"]
                    return CredentialRow(
                        device: row["device"],
                        hash: row["hash"],
                        createdAt: Timestamp(milliseconds: row["created_at"]),
                        revokedAt: revoked.map { Timestamp(milliseconds: $0) },
                        who: row["who"]
                    )
                }
        }
    }
}
