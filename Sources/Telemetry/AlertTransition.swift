// poyang
// SPDX-License-Identifier: Apache-2.0

/// A change of one alert: one rule's verdict for one label set.
package struct AlertTransition: Hashable, Sendable, Codable {
    package enum Change: String, Sendable, Codable {
        /// It fires.
        case raised
        /// It no longer holds.
        case ended
        /// It fired and its data stopped: it is held.
        case held
        /// It was held and its data are back; it fires still.
        case resumed
        /// Readings that came late changed what was said of it; see ``amends``.
        case amended
        /// Readings that came late show that it never fired.
        case retracted
    }

    /// `file/group/alert`, with `/level` for a rule of several levels; stable as long as the file is not edited.
    package var rule: String
    package var alertName: String
    package var change: Change
    /// The alert's labels: those of the expression without metric name and virtual labels, and the rule's own.
    package var labels: Labels
    package var hazard: Hazard
    package var level: WarningLevel
    /// When it was so in the field.
    package var eventTime: Timestamp
    /// When we found out.
    package var processedAt: Timestamp
    /// Since when the alert fires; event time.
    package var activeSince: Timestamp
    /// Since when the expression holds, `for` included; event time.
    package var activeAt: Timestamp
    /// The value of the expression, or of the `clear` that ended it; where neither has one, of what the rule compares.
    package var value: Double?
    package var threshold: Double?
    package var evidence: Evidence
    /// Why it is held or ended, where a reading is not the reason: `no_data`, `threshold_withdrawn`, `season_over`,
    /// `rule_removed`, an error.
    package var reason: String?
    /// Event time of the newest reading that it rests on.
    package var lastReadingAt: Timestamp?
    /// Rendered annotations by name, such as `summary_zh`.
    package var annotations: [String: String]
    /// The highest value since the expression holds, of a rule that asks for low values the lowest.
    package var peak: AlertPeak?
    /// What was said before and is not so; only where readings that came late are the reason.
    package var amends: AlertAmendment?

    package init(
        rule: String,
        alertName: String,
        change: Change,
        labels: Labels,
        hazard: Hazard,
        level: WarningLevel,
        eventTime: Timestamp,
        processedAt: Timestamp,
        activeSince: Timestamp,
        activeAt: Timestamp? = nil,
        value: Double? = nil,
        threshold: Double? = nil,
        evidence: Evidence = [],
        reason: String? = nil,
        lastReadingAt: Timestamp? = nil,
        annotations: [String: String] = [:],
        peak: AlertPeak? = nil,
        amends: AlertAmendment? = nil
    ) {
        self.rule = rule
        self.alertName = alertName
        self.change = change
        self.labels = labels
        self.hazard = hazard
        self.level = level
        self.eventTime = eventTime
        self.processedAt = processedAt
        self.activeSince = activeSince
        self.activeAt = activeAt ?? activeSince
        self.value = value
        self.threshold = threshold
        self.evidence = evidence
        self.reason = reason
        self.lastReadingAt = lastReadingAt
        self.annotations = annotations
        self.peak = peak
        self.amends = amends
    }

    package var site: String { self.labels.site }
}

/// The most extreme value of an alert, and when it was so; event time.
package struct AlertPeak: Hashable, Sendable, Codable {
    package var value: Double
    package var at: Timestamp

    package init(value: Double, at: Timestamp) {
        self.value = value
        self.at = at
    }
}

/// What readings that came late changed of an alert; event times.
package struct AlertAmendment: Hashable, Sendable, Codable {
    /// Since when it was said to fire; nil where nothing was said of it, or that was right.
    package var firedAt: Timestamp?
    /// When it was said to have ended, likewise.
    package var endedAt: Timestamp?
    /// What was said to be its peak, likewise.
    package var peak: AlertPeak?
    /// When it ended as is known now; nil while it lasts.
    package var until: Timestamp?

    package init(
        firedAt: Timestamp? = nil,
        endedAt: Timestamp? = nil,
        peak: AlertPeak? = nil,
        until: Timestamp? = nil
    ) {
        self.firedAt = firedAt
        self.endedAt = endedAt
        self.peak = peak
        self.until = until
    }
}
