// poyang
// SPDX-License-Identifier: Apache-2.0

import CrashScript
import Foundation
import SeriesStorage
import Synchronization
import Telemetry

/// Works as the service does until it is killed: commits on one thread, applies and seals on another, and merges,
/// removes, thins and copies on a third one.
final class CrashVictim: Sendable {
    private let directory: String
    private let script = CrashScript()
    private let position: PositionFile
    private let store: SeriesStore
    /// The newest batch whose commit returned.
    private let committed = Mutex<Int?>(nil)
    private let processor = DispatchQueue(label: "processor")

    init(directory: String, synchronous: SeriesStore.Synchronous) throws {
        self.directory = directory
        self.position = try PositionFile(directory: directory)
        self.store = try SeriesStore(
            path: directory + "/samples.db",
            processed: self.position.read(),
            synchronous: synchronous,
            limits: CrashScript.limits
        )
    }

    func run(from first: Int) throws -> Never {
        for entry in try self.store.entries(after: self.store.appliedPosition, limit: .max) {
            try self.position.write(try self.store.apply(entry).batch.position)
        }
        Thread.detachNewThread { self.maintain() }
        var batch = first
        while true {
            let number = batch
            try self.store.commit(self.script.batch(number)) { entry in
                self.process(entry) { $0.position.rawValue % 7 == 0 }
            }
            self.committed.withLock { $0 = number }
            report("committed \(number)")
            batch += 1
        }
    }

    private func process(_ entry: JournalEntry, sealing isSealed: @escaping @Sendable (JournalEntry) -> Bool) {
        self.processor.async {
            do {
                try self.position.write(try self.store.apply(entry).batch.position)
                guard isSealed(entry) else { return }
                try self.store.seal(through: self.position.read(), force: entry.position.rawValue % 21 == 0)
            } catch {
                fail("processing batch \(entry.position.rawValue): \(error)")
            }
        }
    }

    private func maintain() {
        var turn = 0
        do {
            while true {
                turn += 1
                guard let newest = self.committed.withLock({ $0 }) else {
                    usleep(100)
                    continue
                }
                switch turn % 8 {
                case 0: try self.store.compact()
                case 1, 5: try self.retain(newest)
                case 3: try self.remove(newest)
                case 6: try self.copy(newest, turn)
                default: while try self.store.compactOnce() {}
                }
            }
        } catch {
            fail("maintenance, turn \(turn): \(error)")
        }
    }

    /// Keeps the newest aging samples; thins some of the older ones.
    private func retain(_ newest: Int) throws {
        let retention = SeriesRetention(
            keepFrom: self.script.ownTime(newest - 200),
            thinnings: [.init(before: self.script.ownTime(newest - 100), interval: 10, aggregate: .last)]
        )
        try self.store.enforce { $0.metric == CrashScript.aging ? retention : nil }
    }

    private func remove(_ newest: Int) throws {
        let matcher = LabelMatcher(Labels.metricName, equals: CrashScript.fleeting)
        let series = try self.store.reader.series(
            matching: [matcher],
            after: .distantPast,
            through: .distantFuture
        )
        try self.store.commitRemoval(
            of: series,
            from: .distantPast,
            through: self.script.ownTime(newest),
            at: Timestamp(milliseconds: 1_700_000_000_000)
        ) { self.process($0, sealing: { _ in false }) }
        report("removed \(newest)")
    }

    /// What stands for `catalog.db` first, then the store.
    private func copy(_ newest: Int, _ turn: Int) throws {
        let name = self.copyName(turn)
        try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: true)
        try self.store.pausingMaintenance {
            try PositionFile(directory: name).write(self.position.read())
            _ = try self.store.copy(to: name + "/samples.db")
        }
        report("copied \(newest) \(name)")
        try? FileManager.default.removeItem(atPath: self.copyName(turn - 16))
    }

    private func copyName(_ turn: Int) -> String {
        "\(self.directory)/copy-\(ProcessInfo.processInfo.processIdentifier)-\(turn)"
    }
}
