// poyang
// SPDX-License-Identifier: Apache-2.0

extension QueryGenerator {
    /// A range vector and whether `rate` may be asked of it.
    struct Window {
        var query: MadeQuery
        var hasNoGaps: Bool
    }

    mutating func window(_ depth: Int, isOfPrediction: Bool = false) -> Window {
        if depth > 0, self.subqueryDepth < 2, self.oneIn(3) { return self.subquery(depth - 1, isOfPrediction) }
        let metric = self.pick([
            self.anyMetric(), self.anyMetric(), self.pick(Self.counters), self.pick(Self.irregular),
        ])
        let modifiers = self.modifiers(mayFixTime: !isOfPrediction, mayLookAhead: !isOfPrediction || metric.isFinite)
        let text = "\(self.selector(metric))[\(self.duration())]\(modifiers)"
        return Window(query: MadeQuery(text: text, kind: .matrix), hasNoGaps: metric.hasNoGaps)
    }

    private mutating func subquery(_ depth: Int, _ isOfPrediction: Bool) -> Window {
        let isInner = self.subqueryDepth > 0
        self.subqueryDepth += 1
        defer { self.subqueryDepth -= 1 }
        let isCounter = self.oneIn(4)
        let inner = isCounter ? MadeQuery(text: self.selector(self.pick(Self.counters))) : self.vector(depth)
        let length = self.pick(["18m", "30m", "1h", "3h"]) + (isInner ? "137ms" : "")
        let step = self.pick(["", "30s", "1m", "5m", "7m", "17m"])
        let modifiers = self.modifiers(mayFixTime: !isOfPrediction, mayLookAhead: !isOfPrediction)
        let text = "(\(inner.text))[\(length):\(step)]\(modifiers)"
        let query = MadeQuery(text: text, kind: .matrix, parts: [inner], isExact: inner.isExact)
        return Window(query: query, hasNoGaps: isCounter)
    }

    private static let exactOverTime = [
        "min_over_time", "max_over_time", "last_over_time", "count_over_time", "present_over_time", "changes", "resets",
        "idelta",
    ]
    private static let otherOverTime = [
        "avg_over_time", "sum_over_time", "stddev_over_time", "stdvar_over_time", "delta", "delta",
        "deriv",
    ]

    mutating func windowCall(_ depth: Int) -> MadeQuery {
        if self.oneIn(16) { return self.prediction(depth) }
        if self.oneIn(12) { return self.longWindowCall() }
        let window = self.window(depth)
        let text = window.query.text
        var result = MadeQuery(text: "", parts: [window.query], isExact: false)
        switch Int.random(in: 0..<15, using: &self.random) {
        case 0..<5:
            result.text = "\(self.pick(Self.exactOverTime))(\(text))"
            result.isExact = window.query.isExact
            // Of values that differ in their last digit, nobody knows how often they change.
            if !window.query.isExact, ["changes", "resets"].contains(where: result.text.hasPrefix) {
                result.text = "max_over_time(\(text))"
            }
        case 5..<9: result.text = "\(self.pick(Self.otherOverTime))(\(text))"
        // What counts as a reset depends on the last digit.
        case 9 where window.query.isExact: result.text = "irate(\(text))"
        case 10..<13 where window.hasNoGaps: result.text = "\(self.pick(["rate", "increase"]))(\(text))"
        case 13:
            let share = self.pick(["0.5", "0.9", "0", "1", "0.137", "-1", "2"])
            result.text = "quantile_over_time(\(share), \(text))"
        case 14:
            result.text = "absent_over_time(\(text))"
            result.isExact = true
        default: result.text = "avg_over_time(\(text))"
        }
        return result
    }

    /// What may be answered from statistics of chunks.
    private mutating func longWindowCall() -> MadeQuery {
        let function = self.pick(["sum", "avg", "min", "max", "count", "last", "present"])
        let window = "\(self.selector(self.anyMetric()))[\(self.pick(["36h", "2d", "3d"]))]\(self.modifiers())"
        return MadeQuery(
            text: "\(function)_over_time(\(window))",
            parts: [MadeQuery(text: window, kind: .matrix)],
            isExact: !["sum", "avg"].contains(function)
        )
    }

    private mutating func prediction(_ depth: Int) -> MadeQuery {
        let window = self.window(depth, isOfPrediction: true)
        let text = "predict_linear(\(window.query.text), \(self.pick(["3600", "-600", "86400"])))"
        return MadeQuery(text: text, parts: [window.query], isExact: false)
    }

    mutating func histogramQuantile() -> MadeQuery {
        let share = self.pick(["0.5", "0.9", "0.99", "0", "1", "-0.5", "1.5", "0.137"])
        let matchers = self.pick(["", #"{station="s1"}"#, #"{le!="+Inf"}"#, #"{station!~"s2"}"#])
        let rate = "\(self.pick(["rate", "increase"]))(delay_seconds_bucket\(matchers)[\(self.duration())])"
        let buckets = self.pick([
            "delay_seconds_bucket\(matchers)", rate, "sum by (le) (\(rate))", "sum by (le, county) (\(rate))",
        ])
        return MadeQuery(
            text: "histogram_quantile(\(share), \(buckets))",
            parts: [MadeQuery(text: buckets, isExact: false)],
            isExact: false
        )
    }
}
