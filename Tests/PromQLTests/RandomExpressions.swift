// poyang
// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// Valid query texts of all kinds.
struct RandomExpressions {
    private var numbers: SeededGenerator

    init(seed: UInt64) { self.numbers = SeededGenerator(seed: seed) }

    private mutating func pick(_ choices: [String]) -> String {
        choices.randomElement(using: &self.numbers) ?? ""
    }

    mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &self.numbers) < share }

    mutating func vector(_ depth: Int) -> String {
        guard depth > 0 else {
            return self.selector() + self.modifiers() + self.pick(["", "", " smoothed", " anchored"])
        }
        switch Int.random(in: 0..<10, using: &self.numbers) {
        case 0: return self.selector() + self.modifiers()
        case 1:
            let operation = self.pick(["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<="])
            let isBool = operation.first.map { "=!<>".contains($0) } == true && self.chance(0.5)
            return
                "\(self.vector(depth - 1)) \(operation)\(isBool ? " bool" : "") \(self.matching())\(self.vector(depth - 1))"
        case 2:
            let operation = self.pick(["and", "OR", "unless"])
            let matching = self.pick(["", "on(site) ", "ignoring (a, b) ", "on() "])
            return "\(self.vector(depth - 1)) \(operation) \(matching)\(self.vector(depth - 1))"
        case 3:
            let grouping = self.pick(["", "by (site) ", "without(\"strange label\", a) ", "by () "])
            let name = self.pick(["sum", "AVG", "min", "max", "count", "group", "stddev", "stdvar"])
            return "\(name) \(grouping)(\(self.vector(depth - 1)))"
        case 4:
            return
                "\(self.pick(["topk", "bottomk", "quantile", "limit_ratio"]))(\(self.scalar(depth - 1)), \(self.vector(depth - 1)))"
        case 5:
            if self.chance(0.2) {
                let borders = self.pick(["anchored", "SMOOTHED"])
                return "\(self.pick(["rate", "delta"]))(\(self.selector())[5m]\(self.modifiers()) \(borders))"
            }
            let name = self.pick(["rate", "sum_over_time", "deriv", "last_over_time", "changes"])
            return "\(name)(\(self.matrix(depth - 1)))"
        case 6: return "\(self.pick(["abs", "-", "+", "sort", "timestamp"]))(\(self.vector(depth - 1)))"
        case 7: return "(\(self.vector(depth - 1)))"
        case 8: return "histogram_quantiles(\(self.vector(depth - 1)), \"q\", 0.5, \(self.scalar(depth - 1)))"
        default: return "\(self.vector(depth - 1)) \(self.pick(["+", "*", ">", "<= bool"])) \(self.scalar(depth - 1))"
        }
    }

    mutating func scalar(_ depth: Int) -> String {
        switch Int.random(in: 0..<6, using: &self.numbers) {
        case 0 where depth > 0: return "scalar(\(self.vector(depth - 1)))"
        case 1 where depth > 0: return "(\(self.scalar(depth - 1)) + \(self.scalar(depth - 1)))"
        case 2:
            return self.pick(["time()", "Inf", "NaN", "-3", "5m", "0x1F", "1e-9", "1_000.5", "12345678901234567890"])
        default: return "\(Double.random(in: -100...100, using: &self.numbers))"
        }
    }

    private mutating func matrix(_ depth: Int) -> String {
        if self.chance(0.5) {
            return self.selector()
                + self.pick([
                    "[5m]", "[1h30m]", "[90]", "[1d1ms]", "[step() * 2 + 1s]", "[max_of(RANGE(), -step() / 3)]",
                ]) + self.modifiers()
        }
        return
            "(\(self.vector(depth)))\(self.pick(["[10m:1m]", "[1h:]", "[600:7]", "[range() + 5m:step() + 1m]"]))\(self.modifiers())"
    }

    private mutating func matching() -> String {
        self.pick([
            "", "on(site) ", "ignoring(a) ", "on (site) group_left() ", "on(site) group_right(b, c) ",
            "ignoring() group_left ",
        ])
            + self.pick([
                "", "", "fill(0) ", "fill_left (-1.5) ", "fill_right(+Inf) ", "fill_right(5m)fill_left(7) ",
                "FILL_LEFT(1) FILL_RIGHT(1) ",
            ])
    }

    private mutating func modifiers() -> String {
        self.pick([
            "", "", "", " offset 5m", " offset -1h", " @ 1234.567", " @ start() offset 2s", " offset 3 @ end()",
            " @ -1", " offset step()", " offset -(range() / 7 ^ 2) @ 5",
        ])
    }

    private mutating func selector() -> String {
        self.pick([
            "water_level_meters", "up{}", "a:b:c", "sum{x=\"y\"}", "{__name__=~\"a|b\"}", "{\"quoted.name\"}",
            "x{a=\"1\",b!=\"\",c=~\"x.*\",d!~\"[0-9]+\"}", "x{\"strange label\"='it\\'s',e=`raw\\`}", "by", "bool",
            "x{a=\"鄱阳湖\\n\\\"\\\\\\u00e9\"}", "offset{a=\"b\"}", "start", "and{a='b'}", "fill",
        ])
    }
}
