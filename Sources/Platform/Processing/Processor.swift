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
        case tick(brokerFault: String?)
        /// Something that must come after what is queued before it.
        case call(@Sendable (ProcessingCore) -> Void)
        /// Something that only looks: while the journal is fed again it need not wait for its turn.
        case look(@Sendable (ProcessingCore) -> Void)

        var isLook: Bool {
            if case .look = self { true } else { false }
        }
    }

    /// Batches that may wait for the rules; with batches of 2,000 readings about 10 MB.
    private static let queueLength = 64
    /// Deliveries that the broker may send again after a crash of ours.
    private static let deliveriesKept = 65_535
    /// How many seconds a source waits that will come again.
    private static let patience: TimeInterval = 10
    /// Wait between attempts while the disk refuses.
    private static let retryInterval = Duration.seconds(1)

    private let store: SeriesStore
    private let saveOwners: @Sendable () throws -> Void
    private let queue = WorkQueue<Work>(capacity: Processor.queueLength)
    private let core: ProcessingCoreHolder
    private let backlog = Backlog<Work>()
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let positions: Mutex<(journalled: JournalPosition, processed: JournalPosition)>
    private let fault = Mutex<String?>(nil)
    private let clockFaultSeen: Mutex<String?>
    private let sealFaultSeen = Mutex<String?>(nil)
    private let finished = AsyncStream.makeStream(of: Void.self)
    private let isClosing = Mutex(false)
    /// The newest entry that was committed before the start.
    private let refeedEnd: JournalPosition
    private let catchingUp: Mutex<CatchingUp>

    /// `saveOwners` puts on disk whose new series are; called before readings are.
    init(
        core: ProcessingCore,
        store: SeriesStore,
        now: @escaping @Sendable () -> Timestamp,
        logger: Logger,
        saveOwners: @escaping @Sendable () throws -> Void = {}
    ) {
        self.store = store
        self.saveOwners = saveOwners
        self.core = ProcessingCoreHolder(core: core)
        self.now = now
        self.logger = logger
        self.refeedEnd = max(store.committedPosition, core.processed)
        self.positions = Mutex((self.refeedEnd, core.processed))
        self.catchingUp = Mutex(CatchingUp())
        self.clockFaultSeen = Mutex(core.clockFault)
        // The processing thread itself: it cannot wait for room that only it makes.
        core.commitRecorded = { [unowned self] batch in try self.store.commit(batch) { self.hand($0) }.position }
        if let fault = core.clockFault { logger.error("the clock looks wrong", metadata: ["fault": "\(fault)"]) }
    }

    // MARK: Sources

    package func commit(_ batch: ReadingBatch) throws {
        self.queue.waitForRoom()
        try self.saveOwners()
        try self.store.commit(batch) { self.hand($0) }
    }

    /// The same for a source that will come again, and whose connections end while it waits.
    ///
    /// - Throws: ``PlatformError``, too, when the rules make no room within a few seconds.
    func commitWithoutPatience(_ batch: ReadingBatch) throws {
        guard self.queue.waitForRoom(until: Date() + Self.patience) else {
            throw PlatformError(.input, "the rules lag behind the journal")
        }
        try self.saveOwners()
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

    /// Journals the removal of samples; they are gone when the rules have come to it.
    func commitRemoval(of series: [Labels], from: Timestamp, through: Timestamp) throws {
        self.queue.waitForRoom()
        try self.store.commitRemoval(of: series, from: from, through: through, at: self.now()) { self.hand($0) }
    }

    /// Called under the store's lock, in the order of the journal: it must not wait.
    private func hand(_ entry: JournalEntry) {
        self.positions.withLock { $0.journalled = max($0.journalled, entry.position) }
        self.queue.put(.entry(entry))
    }

    /// Asks the rules to look at the wall clock; `brokerFault` as in ``ProcessingCore/tick(at:brokerFault:)``.
    func tick(brokerFault: String?) {
        // The timers are not to run ahead of what is fed again.
        guard self.hasCaughtUp else { return }
        self.queue.put(.tick(brokerFault: brokerFault))
    }

    /// Runs `body` on the processing thread, after everything that is queued now.
    ///
    /// - Throws: What `body` throws, or ``PlatformError`` when the service is stopping.
    func perform<Result: Sendable>(
        _ body: @escaping @Sendable (ProcessingCore) throws -> Result
    ) async throws -> Result {
        try await self.wait { continuation in .call { core in continuation.resume(with: .init { try body(core) }) } }
    }

    /// Runs `body`, which changes nothing, on the processing thread: after everything that is queued now, but between
    /// two entries of those that are fed again after a start, and between two attempts while the disk refuses.
    ///
    /// - Throws: What `body` throws, or ``PlatformError`` when the service is stopping.
    func look<Result: Sendable>(
        _ body: @escaping @Sendable (ProcessingCore) throws -> Result
    ) async throws -> Result {
        try await self.wait { continuation in .look { core in continuation.resume(with: .init { try body(core) }) } }
    }

    private func wait<Result: Sendable>(
        _ work: (CheckedContinuation<Result, any Error>) -> Work
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            guard !self.queue.put(work(continuation)) else { return }
            continuation.resume(throwing: PlatformError(.input, "the service is stopping; ask again when it is back"))
        }
    }

    /// The newest committed batch, and the newest that the rules have seen.
    var progress: (journalled: JournalPosition, processed: JournalPosition) { self.positions.withLock { $0 } }

    /// What keeps the rules from going on; nil when all is well.
    var currentFault: String? { self.fault.withLock { $0 } }

    /// What is wrong with our own clock; nil while it can be believed.
    var clockFault: String? { self.clockFaultSeen.withLock { $0 } }

    /// What keeps the store from sealing, while the rules go on; nil when all is well.
    var sealFault: String? { self.sealFaultSeen.withLock { $0 } }

    // MARK: The journal of the last process

    /// Whether what was committed before the start has been judged.
    var hasCaughtUp: Bool { self.catchingUp.withLock { $0.isOver } }

    /// Waits until what was committed before the start has been judged, or the service is stopping.
    func caughtUp() async {
        let over = AsyncStream.makeStream(of: Void.self)
        self.catchingUp.withLock { state in
            if state.isOver { over.continuation.finish() } else { state.waiting.append(over.continuation) }
        }
        await cancelWhenGracefulShutdown { for await _ in over.stream {} }
    }

    /// Feeds what was committed but not yet judged when the last process ended.
    ///
    /// Once, before anything else is processed: by ``run()``, or before it by a caller that cannot go on without it.
    func refeed() throws {
        while self.progress.processed < self.refeedEnd, !self.isClosing.withLock({ $0 }) {
            let entries = try self.store.entries(after: self.progress.processed, limit: 256)
                .filter { $0.position <= self.refeedEnd }
            guard !entries.isEmpty else { break }
            for entry in entries where !self.isClosing.withLock({ $0 }) {
                self.process(.entry(entry))
                self.answerLooks()
            }
        }
        self.noteCaughtUp()
    }

    private func noteCaughtUp() {
        let waiting = self.catchingUp.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.finish() }
    }

    // MARK: The thread

    package func run() async throws {
        let thread = Thread {
            // From inside, so that the kernel knows the name, too.
            Thread.current.name = "poyang-rules"
            if !self.hasCaughtUp { self.attempt("reading the journal again") { _ in try self.refeed() } }
            self.noteCaughtUp()
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
            self.backlog.items = self.queue.takeAll()[...]
            guard !self.backlog.items.isEmpty else { break }
            while let item = self.backlog.items.popFirst() {
                // An end before the journal was fed again leaves the rest of it, and what came after, to the next start.
                if case .entry = item, self.progress.processed < self.refeedEnd { continue }
                self.process(item)
            }
        }
        self.attempt("saving at the end") { try $0.save(at: self.now(), isLast: true) }
        self.finished.continuation.finish()
    }

    private func process(_ item: Work) {
        switch item {
        case .entry(let entry):
            self.attempt("batch \(entry.position.rawValue)") { try $0.process(entry, at: self.now()) }
            self.positions.withLock { $0.processed = max($0.processed, entry.position) }
        case .tick(let brokerFault):
            self.attempt("a tick") { try $0.tick(at: self.now(), brokerFault: brokerFault) }
            self.noteClockFault(self.core.core.clockFault)
        case .call(let body), .look(let body):
            body(self.core.core)
        }
        self.noteSealFault(self.core.core.sealFault)
    }

    private func noteClockFault(_ fault: String?) {
        switch self.clockFaultSeen.exchange(fault) {
        case (nil, let fault?): self.logger.error("the clock looks wrong", metadata: ["fault": "\(fault)"])
        case (.some, nil): self.logger.notice("the clock can be believed again")
        case (nil, nil), (.some, .some): break
        }
    }

    private func noteSealFault(_ fault: String?) {
        switch self.sealFaultSeen.exchange(fault) {
        case (nil, let fault?): self.logger.error("the journal cannot be sealed", metadata: ["error": "\(fault)"])
        case (.some, nil): self.logger.notice("the journal is sealed again")
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
                // Who asks how things are hears of the fault instead of waiting for its end.
                let next = ContinuousClock.now + Self.retryInterval
                repeat {
                    if self.isClosing.withLock({ $0 }) { return }
                    self.answerLooks()
                    Thread.sleep(forTimeInterval: 0.02)
                } while ContinuousClock.now < next
            }
        }
    }

    /// Answers those who only look, out of their turn.
    private func answerLooks() {
        let waiting = self.backlog.items.filter(\.isLook)
        self.backlog.items.removeAll(where: \.isLook)
        for look in waiting + self.queue.take(where: \.isLook) {
            if case .look(let body) = look { body(self.core.core) }
        }
    }
}

/// What was taken from the queue and is not yet processed.
private final class Backlog<Item: Sendable>: @unchecked Sendable {  // used like the core, by one thread at a time
    var items: ArraySlice<Item> = []
}

/// Carries the core to its thread.
private struct ProcessingCoreHolder: @unchecked Sendable {  // used by `refeed()`, then by the thread alone
    let core: ProcessingCore
}

/// Whether the journal of the last process has been judged, and who waits for that.
private struct CatchingUp {
    var isOver = false
    var waiting: [AsyncStream<Void>.Continuation] = []
}

extension Mutex<String?> {
    /// Puts `value` in, and gives what was there with what is there.
    borrowing fileprivate func exchange(_ value: String?) -> (before: String?, after: String?) {
        self.withLock { held in
            defer { held = value }
            return (held, value)
        }
    }
}
