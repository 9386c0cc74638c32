// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization

/// Reads closed chunks from disk and keeps some of them decoded.
///
/// Closed chunks never change and are never removed, so a chunk that was named under the head's lock may be read
/// after it without losing the moment.
final class ChunkFile: Sendable {
    private struct Cache {
        var entries: [Int64: (columns: Columns, used: UInt64)] = [:]
        var samples = 0
        var clock: UInt64 = 0
    }

    private let pool: DatabasePool
    private let capacity: Int
    private let cache = Mutex(Cache())

    /// Keeps up to `capacity` decoded samples, 17 bytes each.
    init(_ pool: DatabasePool, capacity: Int) {
        self.pool = pool
        self.capacity = capacity
    }

    /// The samples of the chunks with these rows.
    func columns(of rows: [Int64]) throws -> [Int64: Columns] {
        guard !rows.isEmpty else { return [:] }
        var result: [Int64: Columns] = [:]
        var missing: [Int64] = []
        self.cache.withLock { cache in
            cache.clock += 1
            for row in rows {
                if let entry = cache.entries[row] {
                    result[row] = entry.columns
                    cache.entries[row]?.used = cache.clock
                } else {
                    missing.append(row)
                }
            }
        }
        guard !missing.isEmpty else { return result }
        let blobs = try self.pool.read { db in
            let statement = try db.cachedStatement(sql: "SELECT data FROM chunk WHERE id = ?")
            return try missing.map { row in
                guard let data = try Data.fetchOne(statement, arguments: [row]) else {
                    throw DamagedBytes(message: "(chunk \(row)) is gone", offset: 0)
                }
                return data
            }
        }
        var decoded: [(Int64, Columns)] = []
        for (row, blob) in zip(missing, blobs) {
            let columns = try ChunkCodec.decode(blob.bytes)
            result[row] = columns
            decoded.append((row, columns))
        }
        // A scan through everything would only drive out what others use.
        if decoded.reduce(0, { $0 + $1.1.count }) <= self.capacity / 4 { self.keep(decoded) }
        return result
    }

    private func keep(_ decoded: [(Int64, Columns)]) {
        self.cache.withLock { cache in
            for (row, columns) in decoded where cache.entries[row] == nil {
                cache.entries[row] = (columns, cache.clock)
                cache.samples += columns.count
            }
            guard cache.samples > self.capacity else { return }
            for (row, entry) in cache.entries.sorted(by: { $0.value.used < $1.value.used }) {
                guard cache.samples > self.capacity / 2 else { break }
                cache.samples -= entry.columns.count
                cache.entries[row] = nil
            }
        }
    }
}
