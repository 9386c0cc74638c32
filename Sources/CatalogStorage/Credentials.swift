// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

/// For whom an account at the broker publishes.
package enum AccountRole: String, Hashable, Sendable {
    /// For the device whose id is the user's name.
    case device
    /// For stations that speak SL 651 to a gateway.
    case gateway
    /// For the LoRaWAN devices of a network server.
    case networkServer = "network_server"
}

/// With what a device, a gateway or a network server logs in at the broker; the password itself is not kept.
package struct CredentialRow: Hashable, Sendable {
    /// The MQTT user: a device's id, or the name of a gateway or network server.
    package var user: String
    package var role: AccountRole
    /// As the broker's password file has it.
    package var hash: String
    package var createdAt: Timestamp
    /// Nil while it is valid.
    package var revokedAt: Timestamp?
    package var who: String

    package init(
        user: String,
        role: AccountRole = .device,
        hash: String,
        createdAt: Timestamp,
        revokedAt: Timestamp? = nil,
        who: String
    ) {
        self.user = user
        self.role = role
        self.hash = hash
        self.createdAt = createdAt
        self.revokedAt = revokedAt
        self.who = who
    }
}

extension CatalogStore {
    /// Puts credentials in the place of those that the users had.
    package func put(_ rows: [CredentialRow]) throws {
        try self.pool.write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO credentials (device, role, hash, created_at, revoked_at, who) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (device) DO UPDATE SET
                        role = excluded.role, hash = excluded.hash, created_at = excluded.created_at,
                        revoked_at = excluded.revoked_at, who = excluded.who
                    """
            )
            for row in rows {
                try statement.execute(arguments: [
                    row.user, row.role.rawValue, row.hash, row.createdAt.milliseconds, row.revokedAt?.milliseconds,
                    row.who,
                ])
            }
        }
    }

    /// The names of the valid accounts that publish for many devices, none of which has one of them.
    package func accountsForMany() throws -> Set<String> {
        Set(try self.credentials().filter { $0.role != .device && $0.revokedAt == nil }.map(\.user))
    }

    /// By user.
    package func credentials() throws -> [CredentialRow] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM credentials ORDER BY device")
                .compactMap { row in
                    let revoked: Int64? = row["revoked_at"]
                    // A role of a later version: nobody knows what it may.
                    guard let role = AccountRole(rawValue: row["role"]) else { return nil }
                    return CredentialRow(
                        user: row["device"],
                        role: role,
                        hash: row["hash"],
                        createdAt: Timestamp(milliseconds: row["created_at"]),
                        revokedAt: revoked.map { Timestamp(milliseconds: $0) },
                        who: row["who"]
                    )
                }
        }
    }
}
