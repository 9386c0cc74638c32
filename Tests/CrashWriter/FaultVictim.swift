// poyang
// SPDX-License-Identifier: Apache-2.0

import CrashScript
import Foundation
import SeriesStorage
import Telemetry

/// Goes on while the disk fails: what is refused is repeated until it succeeds, as the service does.
struct FaultVictim {
    private let script = CrashScript()
    private let position: PositionFile
    private let store: SeriesStore
    private let faults: Faults

    /// Opens the store while nothing fails yet.
    init(directory: String, faults: Faults) throws {
        self.faults = faults
        self.position = try PositionFile(directory: directory)
        self.store = try SeriesStore(
            path: directory + "/data/samples.db",
            processed: self.position.read(),
            limits: CrashScript.limits
        )
    }

    func run(batches: Int, rounds: Int) throws {
        var number = 0
        for _ in 0..<rounds {
            self.faults.set(true)
            for _ in 0..<batches {
                self.step(number, attempts: 200)
                number += 1
            }
            // The disk is well again: nothing may fail now, in the same process.
            self.faults.set(false)
            for _ in 0..<5 {
                self.step(number, attempts: 1)
                number += 1
            }
            try self.store.seal(through: self.position.read(), force: true)
            try self.store.compact()
        }
        report("faults \(self.faults.set(false))")
        try self.store.close()
    }

    private func step(_ number: Int, attempts: Int) {
        var committed: JournalEntry?
        self.attempt("commit \(number)", attempts) {
            try self.store.commit(self.script.batch(number)) { committed = $0 }
        }
        report("committed \(number)")
        guard let entry = committed else { fail("commit \(number) returned and handed nothing over") }
        // Until it succeeds, as the processor does.
        self.attempt("apply \(number)", attempts) {
            if entry.position > self.store.appliedPosition { try self.store.apply(entry) }
        }
        self.attempt("position", attempts) { try self.position.write(entry.position) }
        switch number % 5 {
        case 0: self.once { try self.store.seal(through: entry.position, force: true) }
        case 1: self.once { while try self.store.compactOnce() {} }
        case 2:
            self.once {
                let keepFrom = self.script.ownTime(number - 20)
                try self.store.enforce {
                    $0.metric == CrashScript.aging ? SeriesRetention(keepFrom: keepFrom) : nil
                }
            }
        case 3: self.once { try self.store.checkpoint() }
        default: break
        }
    }

    private func attempt(_ what: String, _ attempts: Int, _ body: () throws -> Void) {
        for left in (0..<attempts).reversed() {
            if self.once(body) { return }
            if left == 0 { fail("\(what) did not succeed in \(attempts) attempts") }
        }
    }

    @discardableResult
    private func once(_ body: () throws -> Void) -> Bool {
        do {
            try body()
            return true
        } catch let error as StorageError {
            report("failed \(error.code) \(error)".split(separator: "\n").joined(separator: " "))
            return false
        } catch {
            fail("no StorageError: \(error)")
        }
    }
}
