// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs

/// Units on their way through the threads of one import: parsed by several, committed by one, in order.
final class BulkAssemblyLine: @unchecked Sendable {  // the state is used under `condition`, `committer` by one thread
    private let condition = NSCondition()
    private let workers: Int
    private let step: BulkStep
    private var committer: BulkCommitter
    private var waiting: [BulkUnit] = []
    private var parsed: [Int: BulkStep.Parsed] = [:]
    /// Units that were taken in and are not committed yet.
    private var underWay = 0
    private var isClosed = false
    private var failure: (any Error)?
    private var running = 0

    init(workers: Int, step: BulkStep, committer: BulkCommitter) {
        self.workers = max(workers, 1)
        self.step = step
        self.committer = committer
    }

    /// Takes units from `next` until there are no more or one of the threads gives up; returns when all threads ended.
    func run(first: BulkUnit, next: () throws -> BulkUnit?) throws -> BulkSummary {
        self.running = self.workers + 1
        for number in 0..<self.workers { self.start("poyang-parse-\(number)") { self.parse() } }
        self.start("poyang-import") { self.commit() }
        var unit: BulkUnit? = first
        do {
            while let given = unit, self.put(given) { unit = try next() }
        } catch {
            // What was read before the input broke off is stored all the same.
            self.close()
            self.waitForThreads()
            throw error
        }
        self.close()
        self.waitForThreads()
        self.condition.lock()
        defer { self.condition.unlock() }
        if let failure = self.failure { throw failure }
        return self.committer.summary
    }

    private func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            Thread.current.name = name
            body()
            self.condition.lock()
            self.running -= 1
            self.condition.broadcast()
            self.condition.unlock()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Waits for room.
    ///
    /// - Returns: False when no more units are wanted.
    private func put(_ unit: BulkUnit) -> Bool {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.underWay >= self.workers + 2, !self.isClosed { self.condition.wait() }
        guard !self.isClosed else { return false }
        self.waiting.append(unit)
        self.underWay += 1
        self.condition.broadcast()
        return true
    }

    private func close() {
        self.condition.lock()
        self.isClosed = true
        self.condition.broadcast()
        self.condition.unlock()
    }

    private func waitForThreads() {
        self.condition.lock()
        while self.running > 0 { self.condition.wait() }
        self.condition.unlock()
    }

    private func parse() {
        while let unit = self.takeUnit() {
            let parsed = self.step.parsed(unit)
            self.condition.lock()
            self.parsed[parsed.index] = parsed
            self.condition.broadcast()
            self.condition.unlock()
        }
    }

    private func takeUnit() -> BulkUnit? {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.waiting.isEmpty, !self.isClosed { self.condition.wait() }
        return self.waiting.isEmpty ? nil : self.waiting.removeFirst()
    }

    private func commit() {
        var index = 0
        do {
            while let parsed = self.takeParsed(index) {
                let goesOn = try self.committer.take(parsed)
                self.condition.lock()
                self.underWay -= 1
                if !goesOn { self.stop() }
                self.condition.broadcast()
                self.condition.unlock()
                guard goesOn else { return }
                index += 1
            }
            try self.committer.finish()
        } catch {
            self.condition.lock()
            self.failure = error
            self.stop()
            self.condition.broadcast()
            self.condition.unlock()
        }
    }

    /// No unit is wanted any more; the caller holds `condition`.
    private func stop() {
        self.isClosed = true
        self.waiting = []
        self.underWay = 0
    }

    private func takeParsed(_ index: Int) -> BulkStep.Parsed? {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.parsed[index] == nil, !self.isClosed || self.underWay > 0 { self.condition.wait() }
        return self.parsed.removeValue(forKey: index)
    }
}
