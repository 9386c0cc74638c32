// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport

/// Makes up queries over ``ComparisonData``.
///
/// What Prometheus 2.42 answers otherwise than Prometheus 3, whose language ours is, is left out:
///
/// - **Borders.** Windows and look-back were closed on the left: no border meets a sample (``ComparisonData``). Windows of
///   subqueries inside of subqueries are 137 ms longer, since steps of subqueries are full seconds.
/// - **Names.** A function took the metric name away at once, and two series that differed by it alone were an error
///   even where a later `sum` joined them: only ``colliding(_:)`` selects several metrics at once, and nobody asks for
///   `__name__` behind a function.
/// - **The zero of a counter.** `rate` and `increase` did not look for it within half an interval first where the window
///   begins with a gap: they get counters without gaps.
/// - **Sums and averages** now keep the bits that addition loses: no values are so large that they matter.
/// - **Infinity in a line** made the sums of `predict_linear` NaN, where ours may stay infinite once samples lie on both
///   sides of the evaluation time: it looks ahead at finite values only.
/// - **`@`** held at the first step of a range only inside `predict_linear` and `timestamp`: they go without.
/// - **A subquery without a step** in its window had one of what `@` fixes: windows are longer than steps.
/// - **`atan2`** kept the metric name: another function takes it away.
/// - **`stddev` and `stdvar`** of a single infinity or NaN were 0: they get finite values.
/// - **Label names** may be any text now, and durations are numbers: neither is expected to be refused.
/// - **Comparisons** that leave several elements of a match group of which they drop all but one were not refused: where
///   groups may have several, they are `bool`.
/// - **`holt_winters`** has another name and is experimental.
struct QueryGenerator {
    var random: SeededGenerator
    /// How many subqueries the expression that is being made stands in.
    var subqueryDepth = 0

    struct Metric {
        let name: String
        let labels: [String]
        var hasNoGaps = true
        /// Whether there are just as many series as stations.
        var isOneToAStation = true
        var isFinite = true
    }

    static let metrics = [
        Metric(name: "water_level_m", labels: ["station", "county"]),
        Metric(name: "rainfall_mm", labels: ["station", "county"]),
        Metric(name: "air_temperature_celsius", labels: ["station", "county"]),
        Metric(name: "battery_volts", labels: ["station", "county"]),
        Metric(name: "soil_moisture_percent", labels: ["station", "county", "depth"], isOneToAStation: false),
        Metric(name: "requests_total", labels: ["station", "county", "code"], isOneToAStation: false),
        Metric(name: "volume_total", labels: ["station", "county"]),
        Metric(name: "gap_meters", labels: ["station", "county"], hasNoGaps: false),
        Metric(name: "short_meters", labels: ["station", "county"], hasNoGaps: false),
        Metric(name: "odd_value", labels: ["station", "county"], isFinite: false),
        Metric(name: "pump_running", labels: ["station", "county"]),
        Metric(
            name: "delay_seconds_bucket",
            labels: ["station", "county", "le"],
            isOneToAStation: false
        ),
    ]
    static let counters = metrics.filter { ["requests_total", "volume_total"].contains($0.name) }
    static let irregular = metrics.filter { !$0.hasNoGaps }
    static let paired = metrics.filter(\.isOneToAStation)

    init(random: SeededGenerator) {
        self.random = random
    }

    // MARK: A whole query

    mutating func query() -> ComparedQuery {
        let isRange = self.oneIn(2)
        let depth = Int.random(in: 0...4, using: &self.random)
        let query: MadeQuery =
            switch Int.random(in: 0..<20, using: &self.random) {
            case 0: self.scalar(depth)
            case 1 where !isRange: self.oneIn(2) ? self.window(depth).query : self.rawWindow()
            case 2: self.ranked(depth)
            case 3: self.sorted(depth)
            case 4: self.colliding(depth)
            case 5: MadeQuery(text: self.pick(Self.refused))
            default: self.vector(depth)
            }
        guard isRange else { return ComparedQuery(query: query, moment: .instant(self.moment())) }
        let step: Int64 = self.pick([15, 60, 300, 437, 1800, 3600]) * 1000
        let from = self.moment()
        let through = from + step * Int64.random(in: 0...24, using: &self.random) + self.pick([0, 0, 400])
        return ComparedQuery(query: query.inAnyOrder, moment: .range(from: from, through: through, step: step))
    }

    /// Sometime in the third day, 137 ms after a full second.
    mutating func moment() -> Int64 {
        let start = ComparisonData.start.milliseconds / 1000
        return (start + Int64.random(in: 172_800...250_000, using: &self.random)) * 1000 + 137
    }

    // MARK: Small choices

    mutating func oneIn(_ number: Int) -> Bool { Int.random(in: 0..<number, using: &self.random) == 0 }

    mutating func pick<Choice>(_ choices: [Choice]) -> Choice {
        choices[Int.random(in: choices.indices, using: &self.random)]
    }

    mutating func some(_ choices: [String]) -> String {
        choices.filter { _ in self.oneIn(2) }.joined(separator: ", ")
    }

    /// A number that no value is equal to.
    mutating func number() -> String {
        let value = Double(Int.random(in: -20_000...40_000, using: &self.random)) / 1000 + 0.000_137
        return "\(value)"
    }

    mutating func duration() -> String {
        self.pick(["7m", "10m", "11m30s", "15m", "30m", "1h", "1h17m", "3h", "6h", "20h"])
    }

    // MARK: Selectors

    mutating func matchers(_ metric: Metric) -> String {
        var all = [
            #"station="s1""#, #"station!="s2""#, #"station=~"s[0-3]""#, #"station=~"s1.*|s0""#, #"station!~"s1.*""#,
            #"county=~"c1|c2""#, #"county!~".*[03]""#, #"county=~".+""#, #"missing="""#, #"missing!~".+""#,
            #"station=~"nowhere""#, #"county="c1""#,
        ]
        if metric.labels.contains("depth") { all += [#"depth="10cm""#, #"depth!="10cm""#] }
        if metric.labels.contains("code") { all += [#"code=~"[45]..""#, #"code="200""#] }
        if metric.labels.contains("le") { all += [#"le="+Inf""#, #"le=~"0.*""#] }
        return (0..<self.pick([0, 0, 0, 1, 1, 2])).map { _ in self.pick(all) }.joined(separator: ",")
    }

    mutating func selector(_ metric: Metric) -> String {
        let matchers = self.matchers(metric)
        if self.oneIn(12) {
            return #"{__name__="\#(metric.name)"\#(matchers.isEmpty ? "" : ",")\#(matchers)}"#
        }
        return matchers.isEmpty ? metric.name : "\(metric.name){\(matchers)}"
    }

    /// `offset` and, where it works, `@`, rarely.
    mutating func modifiers(mayFixTime: Bool = true, mayLookAhead: Bool = true) -> String {
        var found: [String] = []
        if self.oneIn(5) {
            let ahead = mayLookAhead ? ["-5m", "-1h"] : []
            found.append("offset \(self.pick(["30s", "1m", "5m", "37m", "2h", "6h"] + ahead))")
        }
        if mayFixTime, self.oneIn(7) {
            let time = "\(self.moment() / 1000).137"
            found.append("@ \(self.pick([time, time, "start()", "end()"]))")
        }
        if self.oneIn(2) { found.reverse() }
        return found.map { " " + $0 }.joined()
    }

    mutating func instant(_ metric: Metric) -> MadeQuery {
        MadeQuery(text: self.selector(metric) + self.modifiers())
    }

    mutating func anyMetric() -> Metric { self.pick(Self.metrics) }

    mutating func rawWindow() -> MadeQuery {
        let metric = self.anyMetric()
        return MadeQuery(text: "\(self.selector(metric))[\(self.duration())]\(self.modifiers())", kind: .matrix)
    }
}
