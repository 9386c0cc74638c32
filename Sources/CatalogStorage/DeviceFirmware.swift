// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

extension CatalogStore {
    /// Puts versions in the place of those that the devices had, and takes away those of other devices.
    package func put(_ known: [KnownFirmware], removing devices: [String] = []) throws {
        try self.pool.write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO firmware (device, version, since, own) VALUES (?, ?, ?, ?)
                    ON CONFLICT (device) DO UPDATE SET
                        version = excluded.version, since = excluded.since, own = excluded.own
                    """
            )
            for firmware in known {
                try statement.execute(arguments: [
                    firmware.device, firmware.version.text, firmware.since.milliseconds, firmware.isOwn,
                ])
            }
            let removal = try database.cachedStatement(sql: "DELETE FROM firmware WHERE device = ?")
            for device in devices { try removal.execute(arguments: [device]) }
        }
    }

    /// By device; what is no version is left out.
    package func firmware() throws -> [KnownFirmware] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM firmware ORDER BY device")
                .compactMap { row in
                    guard let version = try? FirmwareVersion(row["version"] as String) else { return nil }
                    return KnownFirmware(
                        device: row["device"],
                        version: version,
                        since: Timestamp(milliseconds: row["since"]),
                        isOwn: row["own"]
                    )
                }
        }
    }
}
