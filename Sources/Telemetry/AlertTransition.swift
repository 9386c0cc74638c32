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
    /// The value of the expression, or of the `clear` that ended it.
    package var value: Double?
    package var threshold: Double?
    package var evidence: Evidence
    /// Why it is held or ended, where a reading is not the reason: `no_data`, `threshold_withdrawn`, an error.
    package var reason: String?
    /// Event time of the newest reading that it rests on.
    package var lastReadingAt: Timestamp?
    /// Rendered annotations by name, such as `summary_zh`.
    package var annotations: [String: String]

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
        annotations: [String: String] = [:]
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
    }

    package var site: String { self.labels.site }
}
