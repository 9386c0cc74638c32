// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Dissemination
import EarlyWarning
import SeriesStorage
import Telemetry

extension ProcessedBatch {
    /// Whether something happened that people or a restart must know.
    var hasNews: Bool {
        !self.warnings.isEmpty || !self.feed.isEmpty || !self.ledger.isEmpty || !self.alertHistory.isEmpty
    }

    /// Takes what changed in the rules' state; of two changes of one row the later stays.
    mutating func take(_ checkpoint: EngineCheckpoint) {
        if !self.alertStates.isEmpty || !self.removedAlertStates.isEmpty {
            let touched = Set(checkpoint.alerts.map(\.key) + checkpoint.removed)
            self.alertStates.removeAll { touched.contains($0.key) }
            self.removedAlertStates.removeAll { touched.contains($0) }
        }
        self.alertStates += checkpoint.alerts
        self.removedAlertStates += checkpoint.removed
        self.clocks += checkpoint.clocks
    }

    /// Takes what changed in alerts into their history.
    mutating func add(_ transitions: [AlertTransition]) throws {
        for transition in transitions {
            self.alertHistory.append(
                AlertInterval(
                    rule: transition.rule,
                    alertName: transition.alertName,
                    labels: try StoredJSON.encode(transition.labels),
                    activeAt: transition.activeAt,
                    firedAt: transition.activeSince,
                    endedAt: transition.change == .ended ? transition.eventTime : transition.amends?.until,
                    withdraws: transition.amends?.firedAt,
                    isRetracted: transition.change == .retracted
                )
            )
        }
    }

    /// Takes a step of a warning: its new state, its message and its ledger entries.
    mutating func add(_ step: WarningStep) throws {
        let warning = step.warning
        let row = WarningRow(
            number: warning.number,
            org: warning.identity.org,
            site: warning.identity.site,
            hazard: warning.identity.hazard.rawValue,
            status: warning.identity.status.rawValue,
            isActive: warning.isActive,
            issuedAt: warning.issuedAt,
            updatedAt: warning.updatedAt,
            json: try StoredJSON.encode(warning)
        )
        self.warnings.removeAll { $0.number == row.number }
        self.warnings.append(row)
        if let message = step.message {
            self.feed.append(
                FeedEntry(
                    number: message.number,
                    identifier: message.identifier,
                    action: message.action.rawValue,
                    sentAt: message.sent,
                    json: try StoredJSON.encode(message)
                )
            )
        }
        self.ledger += step.ledger
    }
}

extension ApplyCounts {
    /// Adds what one more entry brought.
    mutating func add(_ other: ApplyCounts) {
        self.stored += other.stored
        self.duplicates += other.duplicates
        self.revised += other.revised
        self.quarantined.merge(other.quarantined, uniquingKeysWith: +)
    }
}
