// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Logging
import ServiceLifecycle
import Telemetry

/// Writes what devices say of their firmware to `catalog.db`, so that a start does not forget what is said once a year.
///
/// Away from ingest, and no more than once in a while: a device that says another version with each message costs nobody
/// anything. What was said in the last moment before a crash is told again with the next join.
struct FirmwareRecorder: Service {
    /// How long it rests after it has written.
    private static let rest = Duration.seconds(1)

    let board: FirmwareBoard
    let records: CatalogStore
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            for await _ in self.board.changes {
                self.write()
                try await Task.sleep(for: Self.rest)
            }
        }
        // Ingest has ended before.
        self.write()
    }

    private func write() {
        let rows = self.board.takeChanges()
            .map { FirmwareRow(device: $0.device, version: $0.version.text, since: $0.since, isOwn: $0.isOwn) }
        guard !rows.isEmpty else { return }
        do {
            try self.records.put(rows)
        } catch {
            self.logger.error("what devices said of their firmware is not on disk", metadata: ["error": "\(error)"])
        }
    }
}

extension CatalogStore {
    /// What was said before this start.
    func firmwareBoard() throws -> FirmwareBoard {
        FirmwareBoard(
            try self.firmware()
                .compactMap { row in
                    guard let version = try? FirmwareVersion(row.version) else { return nil }
                    return KnownFirmware(device: row.device, version: version, since: row.since, isOwn: row.isOwn)
                }
        )
    }
}
