// poyang
// SPDX-License-Identifier: Apache-2.0

extension QueryGenerator {
    // MARK: Vectors

    mutating func vector(_ depth: Int) -> MadeQuery {
        guard depth > 0 else {
            let metric = self.anyMetric()
            return self.instant(metric)
        }
        switch Int.random(in: 0..<24, using: &self.random) {
        case 0..<6: return self.windowCall(depth)
        case 6..<11: return self.aggregation(self.vector(depth - 1))
        case 11..<14: return self.unaryCall(depth)
        case 14..<16: return self.withScalar(depth)
        case 16..<20: return self.paired(depth)
        case 20: return self.histogramQuantile()
        case 21: return self.relabelled(depth)
        case 22:
            let inner = self.scalar(depth - 1)
            return MadeQuery(text: "vector(\(inner.text))", parts: [inner], isExact: inner.isExact)
        default: return self.instant(self.anyMetric())
        }
    }

    mutating func scalar(_ depth: Int) -> MadeQuery {
        guard depth > 0 else {
            let text = self.pick([
                self.number(), self.number(), "(time() - 1.7e9)", "pi()", "0x1F", "1e3", "Inf", "NaN", "-0.5",
            ])
            return MadeQuery(text: text, kind: .scalar)
        }
        guard self.oneIn(2) else {
            let inner = self.oneIn(3) ? MadeQuery(text: #"water_level_m{station="s1"}"#) : self.vector(depth - 1)
            return MadeQuery(text: "scalar(\(inner.text))", kind: .scalar, parts: [inner], isExact: inner.isExact)
        }
        let left = self.scalar(depth - 1)
        let right = MadeQuery(text: self.number(), kind: .scalar)
        let operation = self.pick(["+", "-", "*", "/", "> bool", "<= bool"])
        return MadeQuery(
            text: "(\(left.text) \(operation) \(right.text))",
            kind: .scalar,
            parts: [left],
            isExact: left.isExact
        )
    }

    // MARK: Aggregations

    mutating func grouping() -> String {
        switch Int.random(in: 0..<5, using: &self.random) {
        case 0: ""
        case 1: " without (\(self.some(["station", "county", "depth", "code", "le"])))"
        default: " by (\(self.some(["station", "county", "depth", "code", "nothing"])))"
        }
    }

    mutating func aggregation(_ inner: MadeQuery) -> MadeQuery {
        let grouping = self.grouping()
        func text(_ operation: String, _ parameter: String = "", last: Bool) -> String {
            let arguments = "(\(parameter)\(inner.text))"
            return last ? operation + arguments + grouping : operation + grouping + " " + arguments
        }
        let last = self.oneIn(3)
        let finite = "(\(inner.text)) > -1e6 < 1e6"
        var result = MadeQuery(text: "", parts: [inner], isExact: inner.isExact)
        switch Int.random(in: 0..<12, using: &self.random) {
        case 0..<5: result.text = text(self.pick(["min", "max", "count", "group"]), last: last)
        case 5..<9:
            result.text = text(self.pick(["sum", "avg"]), last: last)
            result.isExact = false
        case 9:
            let operation = self.pick(["stddev", "stdvar"])
            result.text = last ? "\(operation)(\(finite))\(grouping)" : "\(operation)\(grouping) (\(finite))"
            result.isExact = false
        case 10:
            let share = self.pick(["0.5", "0.9", "0", "1", "0.137", "-1", "2", "NaN"])
            result.text = text("quantile", share + ", ", last: last)
            result.isExact = false
        default:
            guard inner.isExact else { return self.aggregation(inner) }
            result.text = text("count_values", #""value", "#, last: last)
        }
        return result
    }

    /// `topk` and `bottomk`, or what does not depend on which of equal elements they take.
    mutating func ranked(_ depth: Int) -> MadeQuery {
        let inner = self.vector(depth)
        let grouping = self.pick(["", " by (county)", " without (station)"])
        let count = self.pick(["0", "1", "2", "3.7", "5", "100", "-1"])
        let text = "\(self.pick(["topk", "bottomk"]))\(grouping) (\(count), \(inner.text))"
        let result = MadeQuery(text: text, parts: [inner], isExact: inner.isExact, scrutiny: .values)
        guard self.oneIn(3) else { return result }
        return MadeQuery(text: "sum(\(text))", parts: [result], isExact: false)
    }

    mutating func sorted(_ depth: Int) -> MadeQuery {
        let inner = self.vector(depth)
        let function = self.pick(["sort", "sort_desc"])
        let scrutiny: MadeQuery.Scrutiny = inner.isExact ? .order : .everything
        return MadeQuery(text: "\(function)(\(inner.text))", parts: [inner], scrutiny: scrutiny)
    }

    // MARK: Several metrics at once

    /// Selects more than one metric: aggregated, by names too, or refused by both where names get lost.
    mutating func colliding(_ depth: Int) -> MadeQuery {
        let name = self.pick([#"__name__=~"water_level_m|battery_volts""#, #"__name__=~"(soil|air).+""#])
        let matchers = self.pick(["", #",station="s1""#, #",county!="c0""#])
        let all = MadeQuery(text: "{\(name)\(matchers)}\(self.modifiers())")
        switch Int.random(in: 0..<6, using: &self.random) {
        case 0: return MadeQuery(text: "count by (__name__, county) (\(all.text))", parts: [all])
        case 1: return MadeQuery(text: "abs(\(all.text))", parts: [all])
        case 2: return MadeQuery(text: "last_over_time({\(name)\(matchers)}[15m])", parts: [all])
        case 3: return MadeQuery(text: "max_over_time({\(name)\(matchers)}[15m])", parts: [all])
        case 4:
            let renamed = #"label_replace(\#(all.text), "was", "$1", "__name__", "(.*)")"#
            return MadeQuery(text: "-\(renamed)", parts: [all])
        default: return self.aggregation(all)
        }
    }
}
