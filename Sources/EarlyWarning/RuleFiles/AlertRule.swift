// poyang
// SPDX-License-Identifier: Apache-2.0

package import PromQL
package import StrictYAML
package import Telemetry

/// What happens to an alert that fires when a registered channel of its site stops reporting.
package enum NoDataPolicy: String, CaseIterable, Sendable {
    /// It is held, and said to be unknown.
    case unknown
    /// It goes on firing, and nothing is said.
    case keep
}

/// Where the `threshold` of a rule comes from.
package enum ThresholdSource: Sendable {
    case query(Query)
    /// Of `levels: {blue: 50}`.
    case constant(Double)
}

/// A name and a template, of a label or an annotation.
package struct NamedTemplate: Sendable {
    package let name: String
    package let template: Template
    /// As it was written.
    package let source: String
}

/// One alerting rule, at one level, ready to be evaluated.
package struct AlertRule: Sendable {
    /// `file/group/alert`, with `/level` for a rule of several levels; see ``AlertTransition/rule``.
    package let id: String
    package let name: String
    package let group: String
    package let file: String
    package let line: Int
    /// At whose multiples outputs that change with time alone are evaluated.
    package let interval: Milliseconds
    /// How many alerts it may have at once; 0 where there is no limit.
    package let limit: Int
    package let hazard: Hazard
    package let level: WarningLevel
    package let expr: Query
    package let clear: Query?
    package let maybe: Query?
    package let threshold: ThresholdSource?
    /// `for`: how long the expression must hold before the alert fires.
    package let hold: Milliseconds
    package let keepFiringFor: Milliseconds
    /// How far behind the clock a reading may be and still change history.
    package let lateness: Milliseconds
    package let noData: NoDataPolicy
    /// The part of the year outside of which the rule says nothing.
    package let season: Season?
    package let labels: [NamedTemplate]
    package let annotations: [NamedTemplate]
}

/// A rule that names the result of an expression, which is stored as a series of its own.
package struct RecordingRule: Sendable {
    package let record: String
    package let group: String
    package let file: String
    package let line: Int
    package let interval: Milliseconds
    /// How many values one evaluation may have; 0 where there is no limit.
    package let limit: Int
    /// How long a rule test waits before it looks back at a moment.
    package let queryOffset: Milliseconds
    package let expr: Query
    package let labels: Labels
}

/// Something about a rule that its author should know, though it is no error.
package struct RuleFinding: Sendable {
    package enum Kind: String, Sendable {
        /// Two rules with the same name and labels.
        case duplicateRules = "duplicate-rules"
        /// Hours and days of UTC, which are not those of the place.
        case utcTime = "utc-time"
        /// Its windows are read from the store at every reading.
        case readsAnew = "reads-anew"
        /// It does not see alerts as Prometheus would show them.
        case readsAlerts = "reads-alerts"
        case note

        /// Whether it fails the check with `--lint-fatal`.
        package var isLint: Bool { self == .duplicateRules || self == .utcTime }
    }

    package let kind: Kind
    package let problem: Problem
}

/// The rules of some files.
package struct RuleSet: Sendable {
    package struct File: Sendable {
        package let name: String
        /// As written: a rule with five levels counts once.
        package let rules: Int
    }

    package var alerts: [AlertRule] = []
    package var recordings: [RecordingRule] = []
    package var findings: [RuleFinding] = []
    package var files: [File] = []

    package init() {}
}
