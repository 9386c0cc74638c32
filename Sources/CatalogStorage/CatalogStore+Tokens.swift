// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
internal import Synchronization
package import Telemetry

/// What a token may do.
package enum TokenRole: String, CaseIterable, Sendable {
    /// Reads its org.
    case viewer
    /// Reads and acknowledges.
    case duty
    /// Registers devices and sites of its org.
    case deviceAdmin = "device-admin"
    /// Writes samples into its org.
    case writer
    /// Everything.
    case admin
}

/// A token as the store knows it; the secret is not kept.
package struct TokenRow: Hashable, Sendable {
    /// Eight hexadecimal digits; not secret.
    package var id: String
    package var role: TokenRole
    /// `nil`: not bound to one org.
    package var org: String?
    package var label: String
    package var createdAt: Timestamp
    package var revokedAt: Timestamp?

    package init(
        id: String,
        role: TokenRole,
        org: String?,
        label: String,
        createdAt: Timestamp,
        revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.role = role
        self.org = org
        self.label = label
        self.createdAt = createdAt
        self.revokedAt = revokedAt
    }
}

extension CatalogStore {
    /// Makes a token.
    ///
    /// - Returns: The row and the secret, `poyang_` and 64 hexadecimal digits (256 random bits). The store keeps the
    ///   secret's SHA-256 only: it can never be shown again.
    package func createToken(
        role: TokenRole,
        org: String?,
        label: String,
        at moment: Timestamp
    ) throws -> (token: TokenRow, secret: String) {
        var generator = SystemRandomNumberGenerator()
        let secret = "poyang_" + (0..<4).map { _ in hexadecimal(generator.next()) }.joined()
        let id = String(hexadecimal(generator.next()).prefix(8))
        let token = TokenRow(id: id, role: role, org: org, label: label, createdAt: moment)
        let hash = sha256(Array(secret.utf8))
        try self.pool.write { database in
            try database.execute(
                sql: "INSERT INTO tokens (id, hash, role, org, label, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [id, hash, role.rawValue, org, label, moment.milliseconds]
            )
        }
        self.tokensByHash.withLock { $0?[hash] = token }
        return (token, secret)
    }

    /// All tokens, revoked ones too, in the order they were made.
    package func tokens() throws -> [TokenRow] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM tokens ORDER BY created_at, id")
                .compactMap(TokenRow.init(row:))
        }
    }

    /// Whether any token was ever made; from then on reads need one.
    package func hasTokens() throws -> Bool { try self.withTokens { !$0.isEmpty } }

    /// Ends a token for good.
    ///
    /// - Throws: ``CatalogStorageError`` `notFound` where no valid token has this id.
    package func revokeToken(id: String, at moment: Timestamp) throws {
        try self.pool.write { database in
            try database.execute(
                sql: "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                arguments: [moment.milliseconds, id]
            )
            guard database.changesCount == 1 else {
                throw CatalogStorageError(.notFound, "no valid token has the id \"\(id)\"; see poyang token list")
            }
        }
        self.tokensByHash.withLock { tokens in
            for (hash, token) in tokens ?? [:] where token.id == id { tokens?[hash]?.revokedAt = moment }
        }
    }

    /// The token that a secret belongs to; `nil` for one that is unknown or revoked.
    ///
    /// The look-up is by the secret's hash, so that its time tells nothing about the secret.
    package func verifyToken(secret: String) throws -> TokenRow? {
        let hash = sha256(Array(secret.utf8))
        return try self.withTokens { $0[hash].flatMap { $0.revokedAt == nil ? $0 : nil } }
    }

    /// Hands over all tokens by hash, read when somebody first asks.
    private func withTokens<Result>(_ body: ([String: TokenRow]) -> Result) throws -> Result {
        try self.tokensByHash.withLock { known in
            if let known { return body(known) }
            let pairs = try self.pool.read { database in
                try Row.fetchAll(database, sql: "SELECT * FROM tokens")
                    .compactMap { row in TokenRow(row: row).map { (row["hash"] as String, $0) } }
            }
            let tokens = Dictionary(uniqueKeysWithValues: pairs)
            known = tokens
            return body(tokens)
        }
    }
}

extension TokenRow {
    fileprivate init?(row: Row) {
        guard let role = TokenRole(rawValue: row["role"]) else { return nil }
        let revoked: Int64? = row["revoked_at"]
        self.init(
            id: row["id"],
            role: role,
            org: row["org"],
            label: row["label"],
            createdAt: Timestamp(milliseconds: row["created_at"]),
            revokedAt: revoked.map { Timestamp(milliseconds: $0) }
        )
    }
}

private func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
