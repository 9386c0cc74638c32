// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

/// Which firmware a device has, as it was said last.
package struct FirmwareRow: Hashable, Sendable {
    package var device: String
    package var version: String
    /// The first time that it was said.
    package var since: Timestamp
    /// Whether the device said so itself.
    package var isOwn: Bool

    package init(device: String, version: String, since: Timestamp, isOwn: Bool) {
        self.device = device
        self.version = version
        self.since = since
        self.isOwn = isOwn
    }
}

extension CatalogStore {
    /// Puts versions in the place of those that the devices had, and takes away those of other devices.
    package func put(_ rows: [FirmwareRow], removing devices: [String] = []) throws {
        try self.pool.write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO firmware (device, version, since, own) VALUES (?, ?, ?, ?)
                    ON CONFLICT (device) DO UPDATE SET
                        version = excluded.version, since = excluded.since, own = excluded.own
                    """
            )
            for row in rows {
                try statement.execute(arguments: [row.device, row.version, row.since.milliseconds, row.isOwn])
            }
            let removal = try database.cachedStatement(sql: "DELETE FROM firmware WHERE device = ?")
            for device in devices { try removal.execute(arguments: [device]) }
        }
    }

    /// By device.
    package func firmware() throws -> [FirmwareRow] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM firmware ORDER BY device")
                .map { row in
                    FirmwareRow(
                        device: row["device"],
                        version: row["version"],
                        since: Timestamp(milliseconds: row["since"]),
                        isOwn: row["own"]
                    )
                }
        }
    }
}
