// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// The one object that stands for each series while anybody holds it, and the newest of those that nobody does.
///
/// A series that nobody asks for costs nothing. 8,192 keys are kept beside those that are held elsewhere.
final class SeriesKeyCache: Sendable {
    private struct Entry {
        weak var key: SeriesKey?
    }

    private struct Keys {
        var entries: [UInt32: Entry] = [:]
        /// Kept from disappearing: the newest, in a ring.
        var recent: [SeriesKey] = []
        var next = 0
        /// When there are so many entries, those whose keys are gone are dropped.
        var sweepAt = 256

        mutating func keep(_ key: SeriesKey, _ number: UInt32) {
            self.entries[number] = Entry(key: key)
            if self.recent.count < 128 {
                self.recent.append(key)
            } else {
                self.recent[self.next] = key
                self.next = (self.next + 1) % self.recent.count
            }
            if self.entries.count >= self.sweepAt {
                self.entries = self.entries.filter { $0.value.key != nil }
                self.sweepAt = max(256, 2 * self.entries.count)
            }
        }
    }

    private final class Section: Sendable {
        let keys = Mutex(Keys())
    }

    private let sections = (0..<64).map { _ in Section() }

    /// The key that stands for a series; `make` gives its labels where there is none.
    func key(of id: SeriesID, labels: () -> Labels) -> SeriesKey {
        self.sections[Int(id.rawValue % 64)].keys
            .withLock { keys in
                if let known = keys.entries[id.rawValue]?.key { return known }
                let key = SeriesKey(labels: labels())
                keys.keep(key, id.rawValue)
                return key
            }
    }

    func adopt(_ key: SeriesKey, _ id: SeriesID) {
        self.sections[Int(id.rawValue % 64)].keys
            .withLock { keys in
                if keys.entries[id.rawValue]?.key !== key { keys.keep(key, id.rawValue) }
            }
    }
}
