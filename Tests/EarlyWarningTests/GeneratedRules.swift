// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport

@testable import EarlyWarning

/// Makes rules up: expressions of the metric `level` at one site each or across them, in whole minutes, with all that a rule may have besides.
///
/// Limits are values that the left side has at some moment of the stream, so that it comes to them and leaves them.
struct GeneratedRules {
    private var random: SeededGenerator
    private let reader = MemorySeries()
    /// Of the stream.
    private let minutes: [Int64]

    init(seed: UInt64, over stream: [[(Labels, Sample)]]) {
        self.random = SeededGenerator(seed: seed)
        for (labels, sample) in stream.joined() { self.reader.insert(labels, sample) }
        self.minutes = stream.joined().map { $0.1.time.milliseconds / .minute }
    }

    /// The text of a rule file with so many rules.
    mutating func file(rules count: Int, lateness: String) -> String {
        let rules = (0..<count).map { number in self.rule(number, lateness) }
        return "groups:\n  - name: g\n    rules:\n" + rules.joined()
    }

    /// The text of a rule file that compares so many left sides of one series with several limits each.
    ///
    /// What the engine carries on from reading to reading decides of them, and where it is below a limit by mistake nobody
    /// looks again.
    mutating func fileOfOneSeries(leftSides count: Int, lateness: String) -> String {
        var rules = ""
        for number in 0..<count {
            let left = self.numberOfOneSeries()
            for (place, operation) in [">", "<", self.pick([">=", "<="])].enumerated() {
                var expr = "\(left) \(operation) \(self.limit(of: left))"
                if self.chance(4) { expr = "(\(expr)) \(self.pick(["and", "unless"])) (level \(operation) 5)" }
                var lines = ["- alert: R\(number)_\(place)", "  expr: '\(expr)'", "  lateness: \(lateness)"]
                if self.chance(4) { lines.append("  for: \(self.pick([1, 2, 5]))m") }
                if self.chance(4) { lines.append("  keep_firing_for: \(self.pick([1, 4, 9]))m") }
                rules += lines.map { "      \($0)\n" }.joined()
            }
        }
        return "groups:\n  - name: g\n    rules:\n" + rules
    }

    private mutating func numberOfOneSeries() -> String {
        switch Int.random(in: 0..<8, using: &self.random) {
        case 0: return "level - \(self.windowOfOneSeries())"
        case 1: return "\(self.windowOfOneSeries()) - \(self.windowOfOneSeries())"
        case 2:
            let inner = self.pick([
                "level", "(level > 4)", "(level > bool 5)", "deriv(level[7m])", "sum_over_time(level[4m])",
            ])
            let steps = "\(self.pick([9, 20, 45]))m:\(self.pick([1, 2, 3]))m"
            return "\(self.pick(["min", "max", "sum", "avg", "count", "last", "stddev"]))_over_time(\(inner)[\(steps)])"
        // What covers a time changes between two minutes, and what lies ahead is looked at in whole ones: not both.
        case 3: return "covered_sum_over_time(level[\(self.pick([3, 8, 20, 60]))m])"
        case 4: return "predict_linear(level[\(self.pick([4, 8, 20, 60]))m], \(60 * self.pick([1, 5, 30])))"
        default: return self.windowOfOneSeries()
        }
    }

    private mutating func windowOfOneSeries() -> String {
        let range = "level[\(self.pick([2, 3, 7, 20, 60]))m]"
        switch Int.random(in: 0..<5, using: &self.random) {
        case 0: return "\(self.pick(["deriv", "changes", "resets", "idelta"]))(\(range))"
        case 1: return "quantile_over_time(0.\(self.pick([1, 5, 9])), \(range))"
        default:
            let functions = ["min", "max", "sum", "avg", "count", "last", "first", "stddev", "possible_sum", "present"]
            return "\(self.pick(functions))_over_time(\(range))"
        }
    }

    /// A value that an expression has at some moment.
    private mutating func limit(of expression: String) -> String {
        let options = EvaluationOptions(qualities: .raising, roundsComparisons: true)
        let evaluator = Evaluator(reader: self.reader, options: options)
        for _ in 0..<8 {
            let moment = Timestamp.minutes(self.pick(self.minutes) + Int64.random(in: 0...2, using: &self.random))
            guard let query = try? Query(parsing: expression),
                let values = try? evaluator.instant(query, at: moment).samples.map(\.value),
                let value = values.randomElement(using: &self.random), value.isFinite
            else { continue }
            return "\(value)"
        }
        return "\(Int.random(in: 4...16, using: &self.random))"
    }

    private mutating func rule(_ number: Int, _ lateness: String) -> String {
        let (expr, clear) = self.chance(5) ? self.conditionAcrossSites() : self.condition()
        var lines = ["- alert: R\(number)", "  expr: '\(expr)'", "  lateness: \(lateness)"]
        if let clear, self.chance(3) { lines.append("  clear: '\(clear)'") }
        if self.chance(3) { lines.append("  for: \(self.pick([1, 2, 3, 5, 8]))m") }
        if self.chance(4) { lines.append("  keep_firing_for: \(self.pick([1, 3, 6]))m") }
        if self.chance(6) { lines.append("  no_data: keep") }
        return lines.map { "      \($0)\n" }.joined()
    }

    /// What a rule asks, and what would end it.
    private mutating func condition() -> (expr: String, clear: String?) {
        let left = self.vector(depth: 2)
        let isUpward = Bool.random(using: &self.random)
        let limit = self.limit(of: left)
        switch Int.random(in: 0..<8, using: &self.random) {
        case 0:
            // Without the threshold, and in one of two without a value, the alert goes on.
            let fill = self.pick(["", "", "fill_right(\(limit)) ", "fill(\(limit)) "])
            let level = "site_threshold_meters{hazard=\"\(self.pick(["flood", "low", "rise", "sum"]))\",level=\"blue\"}"
            let comparison = isUpward ? ">=" : "<"
            return (
                "\(left) \(comparison) on(site) group_left() \(fill)\(level)",
                "\(left) \(isUpward ? "<" : ">") on(site) group_left() (\(level) - 1)"
            )
        case 1:
            let fill = self.pick(["", "", "fill(6) ", "fill_left(9) ", "fill_right(5) "])
            return ("\(left) \(self.pick([">", "<", ">=", "==", "!="])) \(fill)\(self.vector(depth: 1))", nil)
        case 2:
            let joined = self.pick(["and", "or", "unless"])
            return ("(\(left) \(isUpward ? ">" : "<") \(limit)) \(joined) (\(self.vector(depth: 1)) > 8)", nil)
        case 3: return ("\(left) > \(limit) and on(site) count by (site) (level) > 1", nil)
        default:
            return (
                "\(left) \(isUpward ? ">" : "<") \(limit)",
                "\(left) \(isUpward ? "<" : ">") (\(limit) \(isUpward ? "-" : "+") 2)"
            )
        }
    }

    private mutating func conditionAcrossSites() -> (expr: String, clear: String?) {
        let by = self.pick(["", "", "by (position) ", "without (site) "])
        let left = "\(self.pick(["sum", "max", "min", "avg", "count", "stddev"])) \(by)(\(self.vector(depth: 1)))"
        let isUpward = Bool.random(using: &self.random)
        let limit = self.limit(of: left)
        return (
            "\(left) \(isUpward ? ">=" : "<") \(limit)",
            "\(left) \(isUpward ? "<" : ">") (\(limit) \(isUpward ? "-" : "+") 2)"
        )
    }

    private mutating func vector(depth: Int) -> String {
        let selector = self.pick(["level", "level{position=\"up\"}", "level{position!=\"up\"}"])
        let window = self.pick([2, 3, 5, 7, 11, 20])
        switch Int.random(in: 0..<(depth > 0 ? 14 : 6), using: &self.random) {
        case 0: return selector
        case 1: return "\(selector) offset \(self.pick([1, 2, 5]))m"
        case 2 where self.chance(3):
            let function = self.pick(["changes", "resets", "delta", "increase", "rate"])
            return "\(function)(\(selector)[\(window)m] anchored)"
        case 2: return "\(self.pick(["deriv", "delta", "changes", "resets", "idelta"]))(\(selector)[\(window)m])"
        case 3: return "predict_linear(\(selector)[\(window)m], \(60 * self.pick([1, 5, 30])))"
        case 4: return "quantile_over_time(0.\(self.pick([1, 5, 9])), \(selector)[\(window)m])"
        case 5:
            let function = self.pick([
                "min", "max", "sum", "avg", "count", "last", "first", "stddev", "covered_sum", "possible_sum",
                "present",
            ])
            return "\(function)_over_time(\(selector)[\(window)m])"
        case 6: return "(\(self.vector(depth: depth - 1)) \(self.pick(["+", "-"])) \(self.pick([1, 2, 5])))"
        case 7: return "(\(self.vector(depth: depth - 1)) - min_over_time(\(selector)[\(window)m]))"
        case 8:
            return
                "\(self.pick(["sum", "max", "min", "avg", "count"])) by (site, position) (\(self.vector(depth: depth - 1)))"
        case 9: return "\(self.pick(["sum", "max", "avg"])) by (site) (\(self.vector(depth: depth - 1)))"
        case 10: return "abs(\(self.vector(depth: depth - 1)))"
        case 11: return "(\(selector) \(self.pick([">", "<="])) \(self.pick(["", "bool "]))\(self.pick([6, 10, 14])))"
        default:
            let function = self.pick(["min", "max", "sum", "avg", "count", "last", "stddev"])
            let steps = "\(self.pick([6, 10, 15]))m:\(self.pick([1, 2, 3]))m"
            return "\(function)_over_time((\(self.vector(depth: depth - 1)))[\(steps)])"
        }
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &self.random)]
    }

    private mutating func chance(_ of: Int) -> Bool { Int.random(in: 0..<of, using: &self.random) == 0 }
}
