// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
package import Telemetry

/// What a look at all of `catalog.db` found.
package struct CatalogVerification: Sendable, Hashable {
    /// Up to where the rules have processed the journal; nil where that cannot be read.
    package var processed: JournalPosition?
    /// Facts of the ledger whose chain holds.
    package var facts: Int64 = 0
    /// What is damaged, a sentence each.
    package var damages: [String] = []

    /// Checks a file that no process writes; it is not changed.
    package static func run(path: String) -> CatalogVerification {
        guard FileManager.default.fileExists(atPath: path) else {
            return CatalogVerification(damages: ["\(path) is not there"])
        }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            return self.run(on: queue)
        } catch {
            return CatalogVerification(damages: ["\(path) cannot be opened: \(error)"])
        }
    }

    /// Copies a file that no process writes, page by page, also where it is damaged.
    package static func copy(_ path: String, to newPath: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        let source = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? source.close() }
        let target = try DatabaseQueue(path: newPath)
        defer { try? target.close() }
        try source.backup(to: target)
    }

    static func run(on reader: any DatabaseReader) -> CatalogVerification {
        var result = CatalogVerification()
        result.attempt { result in
            let lines = try reader.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
            result.damages += lines.flatMap { $0.split(separator: "\n") }.filter { $0 != "ok" }.map { "SQLite: \($0)" }
        }
        result.attempt { result in
            let position = try reader.read {
                try Int64.fetchOne($0, sql: "SELECT position FROM processed WHERE id = 1")
            }
            result.processed = position.map { JournalPosition(rawValue: $0) }
            if position == nil { result.damages.append("the processed position is not there") }
        }
        result.attempt { result in
            result.facts = try reader.read { try LedgerChain.verify($0).count }
        }
        return result
    }

    private mutating func attempt(_ body: (inout CatalogVerification) throws -> Void) {
        do { try body(&self) } catch { self.damages.append("\(error)") }
    }
}

extension CatalogStore {
    /// Checks everything while the store is in use.
    package func verify() -> CatalogVerification { CatalogVerification.run(on: self.pool) }

    /// The names of the schema's steps, oldest first.
    package static var schema: [String] { CatalogMigrations.all.migrations }
}
