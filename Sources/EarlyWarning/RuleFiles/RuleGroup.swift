// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A group with its rules as they stand in the file.
package struct RuleGroup: Sendable {
    package enum Rule: Sendable {
        case alert(AlertRule)
        case recording(RecordingRule)
    }

    package let name: String
    package let file: String
    package let interval: Milliseconds
    package let limit: Int
    package private(set) var rules: [Rule] = []

    fileprivate init(of item: Item) {
        self.name = item.group
        self.file = item.file
        self.interval = item.interval
        self.limit = item.limit
    }

    /// A rule and where it stands.
    fileprivate struct Item {
        let file: String
        let line: Int
        let group: String
        let interval: Milliseconds
        let limit: Int
        let rule: Rule
    }

    fileprivate mutating func add(_ item: Item) { self.rules.append(item.rule) }
}

extension RuleSet {
    /// The groups that have rules, in the order of files and lines.
    package var groups: [RuleGroup] {
        let alerts = self.alerts.map { rule in
            RuleGroup.Item(
                file: rule.file,
                line: rule.line,
                group: rule.group,
                interval: rule.interval,
                limit: rule.limit,
                rule: .alert(rule)
            )
        }
        let recordings = self.recordings.map { rule in
            RuleGroup.Item(
                file: rule.file,
                line: rule.line,
                group: rule.group,
                interval: rule.interval,
                limit: rule.limit,
                rule: .recording(rule)
            )
        }
        let byFile = Dictionary(grouping: alerts + recordings, by: \.file)
        var groups: [RuleGroup] = []
        for file in self.files.map(\.name) {
            let here = (byFile[file] ?? []).enumerated()
                .sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
            for (_, item) in here {
                if groups.last?.file != file || groups.last?.name != item.group { groups.append(RuleGroup(of: item)) }
                groups[groups.count - 1].add(item)
            }
        }
        return groups
    }
}
