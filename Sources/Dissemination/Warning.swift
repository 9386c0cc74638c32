// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Whether people are meant to act on it.
package enum WarningStatus: String, Sendable, Codable {
    case actual = "Actual"
    /// A drill, a replay or a simulation.
    case exercise = "Exercise"
}

/// What happened to a warning; the event name of the feed.
package enum WarningAction: String, CaseIterable, Sendable, Codable {
    case issued
    case raised
    case lowered
    /// Something else changed: its data stopped or came back, its `expires` moved.
    case amended
    case acknowledged
    case ended
    /// Withdrawn: it should not have been issued.
    case cancelled
}

/// What makes a warning one warning.
package struct WarningIdentity: Hashable, Sendable, Codable {
    /// Who owned the site when the warning was first issued; empty where nobody is registered.
    package var org: String
    /// Empty for what belongs to no site.
    package var site: String
    package var hazard: Hazard
    package var status: WarningStatus

    package init(org: String, site: String, hazard: Hazard, status: WarningStatus) {
        self.org = org
        self.site = site
        self.hazard = hazard
        self.status = status
    }
}

/// One alert that makes a warning last.
package struct WarningCause: Hashable, Sendable, Codable {
    package var rule: String
    package var alertName: String
    package var labels: Labels
    package var level: WarningLevel
    /// Since when the alert fires; event time.
    package var since: Timestamp
    /// The newest value told of it, and when that was so.
    package var value: Double?
    package var valueAt: Timestamp?
    /// Event time of the newest reading that it rests on.
    package var lastReadingAt: Timestamp?
    package var threshold: Double?
    package var evidence: Evidence
    /// Its data stopped; it is neither known to last nor to be over.
    package var isHeld: Bool
    package var reason: String?
    package var annotations: [String: String]
    /// True while nobody is called for it: silence that waits for the list of the morning.
    package var isWaitingForList: Bool?

    package var isWaiting: Bool { self.isWaitingForList ?? false }
}

/// One firing that was behind a warning and is over; what comes late may show that it was another, or never was.
package struct PastCause: Hashable, Sendable, Codable {
    package var rule: String
    package var labels: Labels
    /// Event times of its beginning and its end.
    package var since: Timestamp
    package var until: Timestamp
}

/// A warning as it stands: what people were told, and why it lasts.
package struct Warning: Hashable, Sendable, Codable {
    /// For life: `2018-0001`, of an exercise `E2018-0001`, of a state that is only shown `S2018-0001`.
    package var number: String
    package var identity: WarningIdentity
    /// The highest of its causes; after the end the last one.
    package var level: WarningLevel
    /// The active ones; none after the end.
    package var causes: [WarningCause]
    /// Those that are over, the first and the newest of them; nil where there was none.
    package var past: [PastCause]?
    package var isActive: Bool
    /// Event times of the first and of the newest step.
    package var issuedAt: Timestamp
    package var updatedAt: Timestamp
    /// Who has acknowledged it; a raise takes this away.
    package var acknowledgement: Acknowledgement?
    /// What people were told last; `nil` for a state that is only shown, and for silence that waits for the list.
    package var latest: WarningMessage?
    /// How many messages there were.
    package var messageCount: Int
    /// Of a list of silent channels, which is a warning of its own: the moment it was made for.
    package var listedAt: Timestamp?

    package var isList: Bool { self.listedAt != nil }

    package struct Acknowledgement: Hashable, Sendable, Codable {
        package var who: String
        package var note: String
        package var at: Timestamp
    }

    /// Whether the data behind its level have stopped.
    package var isHeld: Bool {
        let leading = self.causes.filter { $0.level == self.level }
        return !leading.isEmpty && leading.allSatisfy(\.isHeld)
    }

    /// The cause that speaks for it: called for before waiting, of the highest level, reporting before held, with a
    /// threshold before without, the newest.
    package var leadingCause: WarningCause? {
        self.causes.max { left, right in
            if left.isWaiting != right.isWaiting { return left.isWaiting }
            if left.level != right.level { return left.level < right.level }
            if left.isHeld != right.isHeld { return left.isHeld }
            if (left.threshold == nil) != (right.threshold == nil) { return left.threshold == nil }
            if left.since != right.since { return left.since < right.since }
            return left.rule < right.rule
        }
    }
}

/// What one event did to one warning.
package struct WarningStep: Sendable {
    /// Afterwards; to be stored.
    package var warning: Warning
    /// What people are told; `nil` where only the causes changed or the state is only shown.
    package var message: WarningMessage?
    package var ledger: [LedgerFact]
}
