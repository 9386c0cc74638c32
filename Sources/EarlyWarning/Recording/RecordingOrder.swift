// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// How far a walk over rules has come with one of them.
private enum Visit { case new, onTheWay, left }

extension [RecordingRule] {
    /// Each after those whose values it reads; of those that read each other in a ring one begins.
    package var inOrderOfUse: [RecordingRule] { self.visited().order.map { self[$0] } }

    /// Those whose values series with these conditions may be, and those whose values they read in turn; in this order.
    func needed(by patterns: [CompiledRule.Pattern]) -> [RecordingRule] {
        let recording = Dictionary(grouping: self.indices) { self[$0].record }
        var needed: Set<Int> = []
        var open = patterns
        while let pattern = open.popLast() {
            for index in RecordingRule.recorded(pattern.matchers, by: recording, of: self)
            where needed.insert(index).inserted {
                open += self[index].patterns
            }
        }
        return needed.sorted().map { self[$0] }
    }

    /// Whether what a rule records follows from alerts, directly or by way of others of these.
    func readsAlerts(_ rule: RecordingRule) -> Bool {
        ([rule] + self.needed(by: rule.patterns)).contains(where: \.readsAlerts)
    }

    /// The rules that, over others or directly, read what they record themselves; of a ring one at least.
    var rings: [RecordingRule] { self.visited().rings.sorted().map { self[$0] } }

    /// Goes from each rule to those that it reads, and keeps those that were left and those that were met on their own way.
    private func visited() -> (order: [Int], rings: Set<Int>) {
        let recording = Dictionary(grouping: self.indices) { self[$0].record }
        let readers = self.map { rule in
            Set(rule.patterns.flatMap { RecordingRule.recorded($0.matchers, by: recording, of: self) }).sorted()
        }
        var marks = [Visit](repeating: .new, count: self.count)
        var order: [Int] = []
        var rings: Set<Int> = []
        for start in self.indices where marks[start] == .new {
            var way = [(rule: start, next: 0)]
            marks[start] = .onTheWay
            while let (rule, next) = way.last {
                guard next < readers[rule].count else {
                    marks[rule] = .left
                    order.append(rule)
                    way.removeLast()
                    continue
                }
                way[way.count - 1].next += 1
                let source = readers[rule][next]
                switch marks[source] {
                case .new:
                    marks[source] = .onTheWay
                    way.append((source, 0))
                case .onTheWay: rings.insert(source)
                case .left: break
                }
            }
        }
        return (order, rings)
    }
}

extension RecordingRule {
    /// The places of the rules whose values a selector with these conditions may find.
    fileprivate static func recorded(
        _ pattern: [LabelMatcher],
        by names: [String: [Int]],
        of rules: [RecordingRule]
    ) -> [Int] {
        let conditions = pattern.filter { $0.name == Labels.metricName }
        let name = conditions.first { $0.operation == .equal }
        let candidates =
            name.map { names[$0.value] ?? [] }
            ?? names.filter { name in conditions.allSatisfy { $0.matches(name.key) } }.flatMap(\.value)
        return candidates.filter { index in
            pattern.allSatisfy { matcher in
                guard matcher.name != Labels.metricName else { return true }
                return rules[index].labels.value(of: matcher.name).map(matcher.matches) ?? true
            }
        }
    }
}
