// poyang
// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// Makes rules up: expressions of the metric `level` at one site each, in whole minutes, with all that a rule may have besides.
struct GeneratedRules {
    var random: SeededGenerator

    /// The text of a rule file with so many rules.
    mutating func file(rules count: Int, lateness: String) -> String {
        let rules = (0..<count).map { number in self.rule(number, lateness) }
        return "groups:\n  - name: g\n    rules:\n" + rules.joined()
    }

    private mutating func rule(_ number: Int, _ lateness: String) -> String {
        let (expr, clear) = self.condition()
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
        let limit = Int.random(in: 4...16, using: &self.random)
        switch Int.random(in: 0..<8, using: &self.random) {
        case 0:
            let level = "site_threshold_meters{hazard=\"\(self.pick(["flood", "low", "rise", "sum"]))\",level=\"blue\"}"
            let comparison = isUpward ? ">=" : "<"
            return (
                "\(left) \(comparison) on(site) group_left() \(level)",
                "\(left) \(isUpward ? "<" : ">") on(site) group_left() (\(level) - 1)"
            )
        case 1: return ("\(left) \(self.pick([">", "<", ">=", "==", "!="])) \(self.vector(depth: 1))", nil)
        case 2:
            return ("(\(left) > \(limit)) \(self.pick(["and", "or", "unless"])) (\(self.vector(depth: 1)) > 8)", nil)
        case 3: return ("\(left) > \(limit) and on(site) count by (site) (level) > 1", nil)
        default:
            return (
                "\(left) \(isUpward ? ">" : "<") \(limit)",
                "\(left) \(isUpward ? "<" : ">") \(isUpward ? limit - 2 : limit + 2)"
            )
        }
    }

    private mutating func vector(depth: Int) -> String {
        let selector = self.pick(["level", "level{position=\"up\"}", "level{position!=\"up\"}"])
        let window = self.pick([2, 3, 5, 7, 11, 20])
        switch Int.random(in: 0..<(depth > 0 ? 14 : 6), using: &self.random) {
        case 0: return selector
        case 1: return "\(selector) offset \(self.pick([1, 2, 5]))m"
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
