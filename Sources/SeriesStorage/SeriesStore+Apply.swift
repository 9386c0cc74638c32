// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization
package import Telemetry

extension SeriesStore {
    /// Committed entries after a position, in order, for feeding them again after a restart.
    package func entries(after: JournalPosition, limit: Int) throws -> [JournalEntry] {
        do {
            return try self.pool.read { db in
                try JournalTable.entries(db, after: after, limit: limit).map(\.entry)
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// Makes one entry part of the series that readers see; all of it at once.
    ///
    /// One thread, entries in order of position without a gap.
    ///
    /// - Returns: What the rules must see (no duplicates), and where each value ended.
    /// - Throws: ``StorageError``, with nothing applied: `positionMismatch` for an entry out of order.
    @discardableResult
    package func apply(_ entry: JournalEntry) throws -> (batch: AppliedBatch, counts: ApplyCounts) {
        try self.applying.withLock { state in
            guard entry.position.rawValue == state.applied.rawValue + 1 else {
                throw StorageError(
                    code: .positionMismatch,
                    message: "journal entry \(entry.position.rawValue) cannot follow \(state.applied.rawValue); "
                        + "feed the entries in order, and each once"
                )
            }
            var outcome = EntryApplication.Outcome()
            var content = AppliedBatch.Content.samples([])
            switch entry.content {
            case .readings(let readings):
                outcome = try self.apply(readings, at: entry.position)
                content = .samples(outcome.samples)
                state.revisions += outcome.revisions
                self.assigning.withLock { $0.applied(readings) }
                if !outcome.repeated.isEmpty {
                    self.repeated.withLock { counts in for id in outcome.repeated { counts[id, default: 0] += 1 } }
                }
            case .clockAdvance(let site, let to):
                content = .clockAdvance(site: site, to: to)
            case .invalidation:
                break
            case .removal(let series, let from, let through):
                try self.remove(series, from: from, through: through)
            }
            state.applied = entry.position
            outcome.counts.quarantined = entry.refused
            let batch = AppliedBatch(position: entry.position, receivedAt: entry.receivedAt, content: content)
            return (batch, outcome.counts)
        }
    }

    private func apply(
        _ readings: [JournalReading],
        at position: JournalPosition
    ) throws -> EntryApplication.Outcome {
        do {
            // Only this thread changes heads, so what is asked for under one lock still holds under the next.
            let (places, pin) = self.memory.withLock { memory in
                let places = EntryApplication.placesToAsk(readings, memory)
                return (places, places.isEmpty ? nil : self.blockFile.pin())
            }
            defer { withExtendedLifetime(pin) {} }
            let older = try EntryApplication.older(readings, at: places, in: self.blockFile)
            return self.memory.withLock { memory in
                EntryApplication.apply(readings, at: position, to: &memory, older: older)
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }
}
