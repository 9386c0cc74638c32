// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The life of one alert: one rule's verdict for one label set.
///
/// Pure: it reads no clock and sends nothing. Pass the time and the verdict, perform the returned ``Action``s.
struct AlertStateMachine: Hashable, Sendable {
    /// What one evaluation says about the label set.
    enum Verdict: Hashable, Sendable {
        /// The expression holds over qualities 1–3.
        case fires
        /// It does not hold, but nothing trusted says that it is over.
        case lingers
        /// Over, by the absence of the expression.
        case over
        /// Over, by the rule's own `clear`.
        case cleared
        /// Nobody knows: no data, or an error.
        case unknown(reason: String)
        /// What it fires against is no longer in force: its threshold, or the season of the rule.
        case withdrawn(reason: String)
    }

    enum State: Hashable, Sendable {
        /// Next: `pending` or `firing`.
        case inactive
        /// The expression holds, `for` is running. Next: `firing`, or `inactive` when it ceases.
        case pending(since: Timestamp)
        /// Raised; `coolingSince` while `keep_firing_for` runs. Next: `held`, or `inactive`.
        case firing(since: Timestamp, coolingSince: Timestamp?)
        /// Raised, and its data stopped. Next: `firing` when they are back.
        case held(since: Timestamp, heldSince: Timestamp, reason: String)
    }

    enum Action: Hashable, Sendable {
        case raise
        case end(since: Timestamp, reason: String?)
        case hold(since: Timestamp, reason: String)
        case resume(since: Timestamp)
    }

    static let thresholdWithdrawn = "threshold_withdrawn"
    static let seasonOver = "season_over"
    static let ruleRemoved = "rule_removed"
    static let noData = "no_data"

    private(set) var state: State

    init(_ state: State = .inactive) { self.state = state }

    var isRaised: Bool {
        switch self.state {
        case .inactive, .pending: false
        case .firing, .held: true
        }
    }

    /// Since when it fires; nil while it does not.
    var firingSince: Timestamp? {
        switch self.state {
        case .inactive, .pending: nil
        case .firing(let since, _), .held(let since, _, _): since
        }
    }

    var isHeld: Bool { if case .held = self.state { true } else { false } }

    /// When the state changes if the verdict stays as it is.
    func due(hold: Milliseconds, keepFiringFor: Milliseconds) -> Timestamp {
        switch self.state {
        case .pending(let since): since + hold
        case .firing(_, let coolingSince?): coolingSince + keepFiringFor
        case .inactive, .firing, .held: .distantFuture
        }
    }

    /// - Returns: What happens, in order: an alert whose data are back resumes before it ends.
    mutating func observe(
        _ verdict: Verdict,
        at now: Timestamp,
        hold: Milliseconds,
        keepFiringFor: Milliseconds
    ) -> [Action] {
        switch (self.state, verdict) {
        case (.inactive, .fires):
            return self.pendOrRaise(since: now, at: now, hold: hold)
        case (.pending(let since), .fires):
            return self.pendOrRaise(since: since, at: now, hold: hold)
        case (.inactive, .lingers), (.inactive, .over), (.inactive, .cleared), (.inactive, .unknown),
            (.inactive, .withdrawn):
            return []
        case (.pending, .unknown):
            return []
        case (.pending, .lingers), (.pending, .over), (.pending, .cleared), (.pending, .withdrawn):
            self.state = .inactive
            return []
        case (.firing(let since, _), .fires), (.firing(let since, _), .lingers):
            self.state = .firing(since: since, coolingSince: nil)
            return []
        case (.firing(let since, let coolingSince), .over):
            return self.coolOrEnd(
                since: since,
                coolingSince: coolingSince ?? now,
                at: now,
                keepFiringFor: keepFiringFor
            )
        case (.firing(let since, _), .unknown(let reason)):
            self.state = .held(since: since, heldSince: now, reason: reason)
            return [.hold(since: since, reason: reason)]
        case (.held(let since, let heldSince, let oldReason), .unknown(let reason)):
            if oldReason != reason { self.state = .held(since: since, heldSince: heldSince, reason: reason) }
            return []
        case (.held(let since, _, _), .fires), (.held(let since, _, _), .lingers):
            self.state = .firing(since: since, coolingSince: nil)
            return [.resume(since: since)]
        case (.held(let since, _, _), .over):
            return [.resume(since: since)]
                + self.coolOrEnd(since: since, coolingSince: now, at: now, keepFiringFor: keepFiringFor)
        case (.firing(let since, _), .cleared):
            self.state = .inactive
            return [.end(since: since, reason: nil)]
        case (.held(let since, _, _), .cleared):
            self.state = .inactive
            return [.resume(since: since), .end(since: since, reason: nil)]
        case (.firing(let since, _), .withdrawn(let reason)), (.held(let since, _, _), .withdrawn(let reason)):
            self.state = .inactive
            return [.end(since: since, reason: reason)]
        }
    }

    private mutating func pendOrRaise(since: Timestamp, at now: Timestamp, hold: Milliseconds) -> [Action] {
        guard now - since >= hold else {
            self.state = .pending(since: since)
            return []
        }
        self.state = .firing(since: now, coolingSince: nil)
        return [.raise]
    }

    private mutating func coolOrEnd(
        since: Timestamp,
        coolingSince: Timestamp,
        at now: Timestamp,
        keepFiringFor: Milliseconds
    ) -> [Action] {
        guard now - coolingSince >= keepFiringFor else {
            self.state = .firing(since: since, coolingSince: coolingSince)
            return []
        }
        self.state = .inactive
        return [.end(since: since, reason: nil)]
    }
}
