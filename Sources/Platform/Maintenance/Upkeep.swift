// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import SeriesStorage
import ServiceLifecycle
import Synchronization
import Telemetry

/// Keeps the store small, on a thread of its own: moves the WAL into the database file, merges what was sealed, removes and thins
/// what is old.
///
/// What fails is logged once, shown in the status and tried again, later each time; nobody waits for it.
final class Upkeep: Service {
    /// How often it looks when nobody calls, and how long it waits after a failure.
    struct Pace {
        /// The WAL grows by some 10 MB a second at most.
        var checkpoint = Duration.seconds(1)
        var merging = Duration.seconds(60)
        var retention = Duration.seconds(24 * 60 * 60)
        /// While our own clock is suspect.
        var clockRetry = Duration.seconds(60)
        /// After the first failure; twice as long after each further one.
        var firstRetry = Duration.seconds(60)
        var lastRetry = Duration.seconds(60 * 60)
    }

    /// What was done last and what is wrong, for the status.
    struct Report {
        var lastMerge: Timestamp?
        var lastRetention: Timestamp?
        /// Sentences, empty when all is well.
        var faults: [String] = []
    }

    private struct Duty {
        let name: String
        var next = ContinuousClock.now
        var failures = 0
        var fault: String?
    }

    private struct State {
        var checkpoint = Duty(name: "moving the WAL into the database file")
        var merging = Duty(name: "merging the store's segments")
        var retention = Duty(name: "removing and thinning old samples")
        var lastMerge: Timestamp?
        var lastRetention: Timestamp?
    }

    private let store: SeriesStore
    private let processor: Processor
    private let bell: UpkeepBell
    private let hasRetention: Bool
    /// What holds for series now; nil while that cannot be said because our own clock is suspect.
    private let plan: @Sendable () -> RetentionPlan?
    private let now: @Sendable () -> Timestamp
    private let pace: Pace
    private let logger: Logger
    private let state: Mutex<State>
    private let finished = AsyncStream.makeStream(of: Void.self)

    init(
        store: SeriesStore,
        processor: Processor,
        bell: UpkeepBell,
        hasRetention: Bool,
        plan: @escaping @Sendable () -> RetentionPlan?,
        now: @escaping @Sendable () -> Timestamp,
        pace: Pace = Pace(),
        logger: Logger
    ) {
        self.store = store
        self.processor = processor
        self.bell = bell
        self.hasRetention = hasRetention
        self.plan = plan
        self.now = now
        self.pace = pace
        self.logger = logger
        self.state = Mutex(State())
    }

    var report: Report {
        self.state.withLock { state in
            Report(
                lastMerge: state.lastMerge,
                lastRetention: state.lastRetention,
                faults: [state.checkpoint, state.merging, state.retention]
                    .compactMap { duty in
                        duty.fault.map { "\(duty.name): \($0)" }
                    }
            )
        }
    }

    func run() async throws {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try? await gracefulShutdown()
                self.bell.close()
            }
            // What was committed before the start comes first.
            await self.processor.caughtUp()
            guard !Task.isShuttingDownGracefully else { return }
            let thread = Thread {
                // From inside, so that the kernel knows the name, too.
                Thread.current.name = "poyang-upkeep"
                self.work()
            }
            thread.qualityOfService = .utility
            thread.start()
            for await _ in self.finished.stream {}
        }
    }

    private func work() {
        while !self.bell.isClosing {
            let next = self.round()
            self.take(self.bell.wait(next - .now))
        }
        self.finished.continuation.finish()
    }

    /// Does what is due.
    ///
    /// - Returns: When something will be due next.
    func round() -> ContinuousClock.Instant {
        if self.isDue(\.checkpoint) { self.checkpoint() }
        if self.hasRetention, self.isDue(\.retention) { self.enforceRetention() }
        if self.isDue(\.merging) { self.merge() }
        return self.state.withLock { state in
            let next = min(state.checkpoint.next, state.merging.next)
            return self.hasRetention ? min(next, state.retention.next) : next
        }
    }

    /// Makes due what somebody called for; a failure waits for its time, whoever calls.
    func take(_ call: UpkeepBell.Call) {
        self.state.withLock { state in
            if call.isSealed, state.merging.fault == nil { state.merging.next = .now }
            if call.isRetentionWanted { state.retention.next = .now }
        }
    }

    private func isDue(_ duty: KeyPath<State, Duty>) -> Bool {
        !self.bell.isClosing && self.state.withLock { $0[keyPath: duty].next <= .now }
    }

    private func checkpoint() {
        self.attempt(\.checkpoint, every: self.pace.checkpoint) {
            if self.store.isCheckpointDue { try self.store.checkpoint() }
        }
    }

    private func merge() {
        self.attempt(\.merging, every: self.pace.merging) {
            while !self.bell.isClosing, try self.store.compactOnce() {
                try self.store.checkpoint()
                let now = self.now()
                self.state.withLock { $0.lastMerge = now }
            }
        }
    }

    private func enforceRetention() {
        guard let plan = self.plan() else {
            self.state.withLock { $0.retention.next = .now + self.pace.clockRetry }
            return
        }
        self.attempt(\.retention, every: self.pace.retention) {
            let removed = try self.store.enforce { plan.retention(of: $0) }
            if removed > 0 {
                try self.store.checkpoint()
                self.logger.info("old samples removed or thinned", metadata: ["samples": "\(removed)"])
            }
            let now = self.now()
            self.state.withLock { $0.lastRetention = now }
        }
    }

    /// Does a duty and says when it is to be done again.
    private func attempt(
        _ path: any WritableKeyPath<State, Duty> & Sendable,
        every interval: Duration,
        _ step: () throws -> Void
    ) {
        do {
            try step()
            let failed = self.state.withLock { state in
                let failed = state[keyPath: path].fault == nil ? nil : state[keyPath: path].name
                state[keyPath: path].fault = nil
                state[keyPath: path].failures = 0
                state[keyPath: path].next = .now + interval
                return failed
            }
            if let failed { self.logger.notice("the upkeep goes on", metadata: ["with": "\(failed)"]) }
        } catch {
            let (name, isFirst) = self.state.withLock { state in
                let isFirst = state[keyPath: path].fault == nil
                let wait = self.pace.firstRetry * (1 << min(state[keyPath: path].failures, 20))
                state[keyPath: path].fault = "\(error)"
                state[keyPath: path].failures += 1
                state[keyPath: path].next = .now + min(wait, self.pace.lastRetry)
                return (state[keyPath: path].name, isFirst)
            }
            if isFirst { self.logger.error("the upkeep waits", metadata: ["with": "\(name)", "error": "\(error)"]) }
        }
    }
}

/// Leaves a short WAL behind: started first, so that it ends last.
struct WALTruncation: Service {
    let store: SeriesStore
    let logger: Logger

    func run() async throws {
        try? await gracefulShutdown()
        do { try self.store.truncateWAL() } catch {
            self.logger.warning("the WAL stays as long as it is", metadata: ["error": "\(error)"])
        }
    }
}
