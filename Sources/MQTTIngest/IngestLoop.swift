// poyang
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Logging
import Synchronization
import Telemetry

/// What the ingest thread runs: connect, read a batch, commit it, acknowledge, and so on until it is told to stop.
final class IngestLoop: Sendable {
    private let options: IngestOptions
    private let sink: any ReadingSink
    private let shared: IngestShared
    private let logger: Logger
    private let now: @Sendable () -> Timestamp

    init(
        options: IngestOptions,
        sink: any ReadingSink,
        shared: IngestShared,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.options = options
        self.sink = sink
        self.shared = shared
        self.logger = logger
        self.now = now
    }

    func run() {
        let session = IngestSession(
            options: self.options,
            sink: self.sink,
            shared: self.shared,
            logger: self.logger,
            now: self.now
        )
        var generator = SystemRandomNumberGenerator()
        var connectWait = BackOff(first: self.options.firstWait, longest: self.options.longestWait)
        var commitWait = BackOff(first: self.options.firstWait, longest: self.options.longestWait)
        var lastReason = ""
        while !self.shared.isStopping {
            self.enter(.connecting)
            let failure = session.run()
            guard !self.shared.isStopping, let failure else { break }
            if session.hasSubscribed { connectWait.reset() }
            if session.hasCommitted { commitWait.reset() }
            let wait =
                failure.isCommit ? commitWait.next(using: &generator) : connectWait.next(using: &generator)
            // The same trouble again is not worth a line each time.
            let level: Logger.Level = failure.reason == lastReason && !session.hasSubscribed ? .debug : .warning
            lastReason = failure.reason
            self.logger.log(
                level: level,
                "ingest interrupted",
                metadata: ["reason": "\(failure.reason)", "retry_in_ms": "\(wait)", "broker": "\(self.options.broker)"]
            )
            self.enter(.waiting(reason: failure.reason, at: self.now() + wait))
            self.pause(wait)
        }
        session.close()
        self.enter(.stopped)
        self.shared.ended.signal()
    }

    private func enter(_ state: IngestState) {
        self.shared.state.withLock { $0.state = state }
    }

    private func pause(_ span: Milliseconds) {
        let end = ContinuousClock.now + .milliseconds(span)
        while !self.shared.isStopping {
            let left = (end - ContinuousClock.now) / .milliseconds(1)
            guard left > 0 else { return }
            self.shared.wake.wait(milliseconds: Int32(max(1, left.rounded(.up))))
        }
    }
}

/// Why one connection ended.
struct IngestFailure {
    var reason: String
    /// The sink failed, not the broker.
    var isCommit: Bool
}
