// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

extension CatalogStore {
    /// Puts what devices say of themselves in the place of what they had said, and takes away all of other devices.
    package func put(
        firmware: [KnownFirmware] = [],
        connections: [DeviceConnection] = [],
        removing devices: [String] = []
    ) throws {
        try self.pool.write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO firmware (device, version, since, own) VALUES (?, ?, ?, ?)
                    ON CONFLICT (device) DO UPDATE SET
                        version = excluded.version, since = excluded.since, own = excluded.own
                    """
            )
            for known in firmware {
                try statement.execute(arguments: [
                    known.device, known.version.text, known.since.milliseconds, known.isOwn,
                ])
            }
            let connection = try database.cachedStatement(
                sql: """
                    INSERT INTO connections (device, state, since) VALUES (?, ?, ?)
                    ON CONFLICT (device) DO UPDATE SET state = excluded.state, since = excluded.since
                    """
            )
            for known in connections {
                try connection.execute(arguments: [known.device, known.state.rawValue, known.since.milliseconds])
            }
            for table in ["firmware", "connections"] {
                let removal = try database.cachedStatement(sql: "DELETE FROM \(table) WHERE device = ?")
                for device in devices { try removal.execute(arguments: [device]) }
            }
        }
    }

    /// By device; what is no state is left out.
    package func connections() throws -> [DeviceConnection] {
        try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM connections ORDER BY device")
                .compactMap { row in
                    guard let state = DeviceConnection.State(rawValue: row["state"]) else { return nil }
                    return DeviceConnection(
                        device: row["device"],
                        state: state,
                        since: Timestamp(milliseconds: row["since"])
                    )
                }
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
