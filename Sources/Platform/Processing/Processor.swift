// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import SeriesStorage
import ServiceLifecycle
import Synchronization
package import Telemetry

/// The one thread behind the journal: takes what was committed, in order, through series, rules and warnings.
///
/// It is the sink of all sources too: the store hands each entry over under its own lock, so that the queue has the
/// order of the journal. When the rules lag, a full queue holds the next commit, and so its acknowledgements, back.
package final class Processor: ReadingSink, Service {
    private enum Work: Sendable {
        case entry(JournalEntry)
        case tick
        case call(@Sendable (ProcessingCore) -> Void)
    }

    /// Batches that may wait for the rules; with batches of 2,000 readings about 10 MB.
    private static let queueLength = 64
    /// Deliveries that the broker may send again after a crash of ours.
    private static let deliveriesKept = 65_535
    /// Wait between attempts while the disk refuses.
    private static let retryInterval: TimeInterval = 1

    private let store: SeriesStore
    private let queue = WorkQueue<Work>(capacity: Processor.queueLength)
    private let core: ProcessingCoreHolder
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let positions: Mutex<(journalled: JournalPosition, processed: JournalPosition)>
    private let fault = Mutex<String?>(nil)
    private let clockFaultSeen: Mutex<String?>
    private let finished = AsyncStream.makeStream(of: Void.self)
    private let isClosing = Mutex(false)

    init(core: ProcessingCore, store: SeriesStore, now: @escaping @Sendable () -> Timestamp, logger: Logger) {
        self.store = store
        self.core = ProcessingCoreHolder(core: core)
        self.now = now
        self.logger = logger
        self.positions = Mutex((core.processed, core.processed))
        self.clockFaultSeen = Mutex(core.clockFault)
        if let fault = core.clockFault { logger.error("the clock looks wrong", metadata: ["fault": "\(fault)"]) }
    }

    // MARK: Sources

    package func commit(_ batch: ReadingBatch) throws {
        self.queue.waitForRoom()
        try self.store.commit(batch) { self.hand($0) }
    }

    package func recentDeliveries() throws -> [Delivery] {
        try self.store.recentDeliveries(limit: Self.deliveriesKept)
    }

    /// Journals an explicit advance of data clocks.
    func commitClockAdvance(site: String?, to time: Timestamp) throws {
        self.queue.waitForRoom()
        try self.store.commitClockAdvance(site: site, to: time, at: self.now()) { self.hand($0) }
    }

    /// Stores samples that the rules are not to see, and how far the import has come with them.
    func commitImport(_ prepared: PreparedImport, mark: ImportMark?) throws -> ImportCounts {
        self.queue.waitForRoom()
        return try self.store.commitImport(prepared, mark: mark, at: self.now()) { self.hand($0) }
    }

    /// Called under the store's lock, in the order of the journal: it must not wait.
    private func hand(_ entry: JournalEntry) {
        self.positions.withLock { $0.journalled = max($0.journalled, entry.position) }
        self.queue.put(.entry(entry))
    }

    /// Asks the rules to look at the wall clock.
    func tick() {
        self.queue.put(.tick)
    }

    /// Runs `body` on the processing thread, after everything that is queued now.
    ///
    /// - Throws: What `body` throws, or ``PlatformError`` when the service is stopping.
    func perform<Result: Sendable>(
        _ body: @escaping @Sendable (ProcessingCore) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let taken = self.queue.put(.call { core in continuation.resume(with: .init { try body(core) }) })
            guard !taken else { return }
            continuation.resume(throwing: PlatformError(.input, "the service is stopping; ask again when it is back"))
        }
    }

    /// The newest committed batch, and the newest that the rules have seen.
    var progress: (journalled: JournalPosition, processed: JournalPosition) { self.positions.withLock { $0 } }

    /// What keeps the rules from going on; nil when all is well.
    var currentFault: String? { self.fault.withLock { $0 } }

    /// What is wrong with our own clock; nil while it can be believed.
    var clockFault: String? { self.clockFaultSeen.withLock { $0 } }

    // MARK: The thread

    /// Feeds what was committed but not yet judged when the last process ended.
    func refeed() throws {
        while true {
            let entries = try self.store.entries(after: self.progress.processed, limit: 256)
            guard let last = entries.last else { return }
            self.positions.withLock { $0.journalled = max($0.journalled, last.position) }
            for entry in entries { self.process(.entry(entry)) }
        }
    }

    package func run() async throws {
        let thread = Thread {
            // From inside, so that the kernel knows the name, too.
            Thread.current.name = "poyang-rules"
            self.work()
        }
        thread.qualityOfService = .userInitiated
        thread.start()
        try? await gracefulShutdown()
        self.isClosing.withLock { $0 = true }
        self.queue.close()
        for await _ in self.finished.stream {}
    }

    private func work() {
        while true {
            let items = self.queue.takeAll()
            guard !items.isEmpty else { break }
            for item in items { self.process(item) }
        }
        self.attempt("saving at the end") { try $0.save(at: self.now(), isLast: true) }
        self.finished.continuation.finish()
    }

    private func process(_ item: Work) {
        switch item {
        case .entry(let entry):
            self.attempt("batch \(entry.position.rawValue)") { try $0.process(entry, at: self.now()) }
            self.positions.withLock { $0.processed = max($0.processed, entry.position) }
        case .tick:
            self.attempt("a tick") { try $0.tick(at: self.now()) }
            self.noteClockFault(self.core.core.clockFault)
        case .call(let body):
            body(self.core.core)
        }
    }

    private func noteClockFault(_ fault: String?) {
        let before = self.clockFaultSeen.withLock { seen in
            defer { seen = fault }
            return seen
        }
        switch (before, fault) {
        case (nil, let fault?): self.logger.error("the clock looks wrong", metadata: ["fault": "\(fault)"])
        case (.some, nil): self.logger.notice("the clock can be believed again")
        case (nil, nil), (.some, .some): break
        }
    }

    /// Tries until it succeeds, because skipping a batch would lose warnings; while the process ends, once.
    private func attempt(_ what: String, _ step: (ProcessingCore) throws -> Void) {
        while true {
            do {
                try step(self.core.core)
                self.fault.withLock { $0 = nil }
                return
            } catch {
                let isFirst = self.fault.withLock { fault in
                    let isFirst = fault == nil
                    fault = "\(error)"
                    return isFirst
                }
                if isFirst {
                    self.logger.error("the rules wait", metadata: ["at": "\(what)", "error": "\(error)"])
                }
                if self.isClosing.withLock({ $0 }) { return }
                Thread.sleep(forTimeInterval: Self.retryInterval)
            }
        }
    }
}

/// Carries the core to its thread.
private struct ProcessingCoreHolder: @unchecked Sendable {  // first used by `refeed()`, then by the thread alone
    let core: ProcessingCore
}
