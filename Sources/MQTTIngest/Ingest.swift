// poyang
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
package import Logging
import Synchronization
package import Telemetry

/// Reads a broker's messages, makes them durable in batches, and acknowledges them after that.
///
/// ## Usage
/// ```swift
/// let ingest = Ingest(options: options, sink: journal, resolver: catalog, logger: logger, now: clock)
/// ingest.start()
/// …
/// ingest.stop()    // what was read is committed and acknowledged
/// ```
/// Runs on one thread of its own. A broker that is away, a broker that refuses us and a sink that throws never end it: it
/// waits, longer each time, and tries again.
package final class Ingest: Sendable {
    private let loop: IngestLoop
    private let shared: IngestShared

    /// Makes an ingest that does nothing yet.
    ///
    /// - Parameters:
    ///   - options: Broker, session and batch sizes.
    ///   - sink: Where batches become durable.
    ///   - resolver: Knows the devices; see ``use(_:)``.
    ///   - logger: Hears of connections and failures, not of messages.
    ///   - tap: Where those are who watch devices.
    ///   - now: The receive time of what is read.
    package init(
        options: IngestOptions,
        sink: any ReadingSink,
        resolver: any ReadingResolver,
        logger: Logger,
        tap: DeviceTap = DeviceTap(),
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.shared = IngestShared(resolver: resolver, tap: tap)
        self.loop = IngestLoop(options: options, sink: sink, shared: self.shared, logger: logger, now: now)
    }

    /// Starts the thread; does nothing when it was started before.
    package func start() {
        guard self.shared.state.withLock({ $0.begin() }) else { return }
        let loop = self.loop
        let thread = Thread {
            // From inside, so that the kernel knows the name, too.
            Thread.current.name = "mqtt-ingest"
            loop.run()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Ends the thread: what was read is committed, acknowledged, and the session left at the broker.
    ///
    /// Blocks until it has ended, `timeout` at most: an attempt to reach a broker that does not answer cannot be cut
    /// short, but holds nothing.
    ///
    /// - Returns: Whether the thread has ended.
    @discardableResult
    package func stop(timeout: Milliseconds = 15_000) -> Bool {
        guard self.shared.state.withLock({ $0.requestStop() }) else { return true }
        self.shared.wake.signal()
        guard self.shared.ended.wait(timeout: .now() + .milliseconds(Int(timeout))) == .success else { return false }
        // For those who also wait.
        self.shared.ended.signal()
        return true
    }

    /// Puts another resolver in place; the next batch uses it.
    package func use(_ resolver: any ReadingResolver) {
        self.shared.resolver.withLock { $0 = resolver }
    }

    package var state: IngestState { self.shared.state.withLock { $0.state } }

    /// True from the broker's SUBACK until the connection is lost.
    package var isSubscribed: Bool {
        if case .subscribed = self.state { return true }
        return false
    }

    /// Why no message can come now; nil while subscribed, and before the start and after the end.
    package var brokerFault: String? {
        switch self.state {
        case .idle, .subscribed, .stopped: nil
        case .connecting: "no subscription yet"
        case .waiting(let reason, _): reason
        }
    }

    package var metrics: IngestMetrics { self.shared.metrics.withLock { $0 } }
}

/// Where ingest stands with its broker.
package enum IngestState: Hashable, Sendable {
    case idle
    /// Connecting, or connected and not yet subscribed.
    case connecting
    case subscribed(since: Timestamp)
    /// No connection; the next attempt is made `at`. `reason` says what happened and what to do.
    case waiting(reason: String, at: Timestamp)
    case stopped
}

/// What the thread shares with the callers of ``Ingest``.
final class IngestShared: Sendable {
    struct Life {
        var state = IngestState.idle
        var isStopping = false

        mutating func begin() -> Bool {
            guard case .idle = self.state, !self.isStopping else { return false }
            self.state = .connecting
            return true
        }

        /// False when nothing runs that would have to end.
        mutating func requestStop() -> Bool {
            self.isStopping = true
            guard case .idle = self.state else { return true }
            self.state = .stopped
            return false
        }
    }

    let state = Mutex(Life())
    let metrics = Mutex(IngestMetrics())
    let resolver: Mutex<any ReadingResolver>
    let wake = WakeSignal()
    let ended = DispatchSemaphore(value: 0)
    let tap: DeviceTap

    init(resolver: any ReadingResolver, tap: DeviceTap) {
        self.resolver = Mutex(resolver)
        self.tap = tap
    }

    var isStopping: Bool { self.state.withLock { $0.isStopping } }
}
