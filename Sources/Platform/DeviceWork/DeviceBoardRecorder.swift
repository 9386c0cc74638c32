// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Logging
import ServiceLifecycle
import Telemetry

/// Writes what devices say of themselves to `catalog.db`, so that a start does not forget what is said once a year.
///
/// Away from ingest, and no more than once in a while: a device that says something else with each message costs nobody
/// anything. What was said in the last moment before a crash is told again with the next join or connection.
struct DeviceBoardRecorder: Service {
    /// How long it rests after it has written.
    private static let rest = Duration.seconds(1)
    /// How long it rests at most, while nothing can be written.
    private static let longestRest = Duration.seconds(60)

    let board: DeviceBoard
    let records: CatalogStore
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var rest = Self.rest
            for await _ in self.board.changes {
                rest = self.write() ? Self.rest : min(rest * 2, Self.longestRest)
                try await Task.sleep(for: rest)
            }
        }
        // Ingest has ended before.
        self.write()
    }

    /// Returns whether all is on disk; what is not is tried again with the next change, and is one itself.
    @discardableResult
    func write() -> Bool {
        let changes = self.board.takeChanges()
        guard !changes.isEmpty else { return true }
        do {
            try self.records.put(
                firmware: changes.firmware,
                connections: changes.connections,
                removing: changes.forgotten
            )
            return true
        } catch {
            self.board.putBack(changes)
            self.logger.error("what devices said of themselves is not on disk", metadata: ["error": "\(error)"])
            return false
        }
    }
}
