// poyang
// SPDX-License-Identifier: Apache-2.0

extension QueryGenerator {
    private static let exactFunctions = ["abs", "ceil", "floor", "sgn", "round", "sqrt"]
    private static let curves = [
        "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh",
        "acosh", "atanh", "deg", "rad",
    ]
    private static let dates = [
        "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year",
    ]

    mutating func unaryCall(_ depth: Int) -> MadeQuery {
        let inner = self.vector(depth - 1)
        var result = MadeQuery(text: "", parts: [inner], isExact: inner.isExact)
        switch Int.random(in: 0..<14, using: &self.random) {
        case 0..<3 where inner.isExact: result.text = "\(self.pick(Self.exactFunctions))(\(inner.text))"
        case 3 where inner.isExact: result.text = "round(\(inner.text), \(self.pick(["0.1", "5", "0.25", "1e3"])))"
        case 4..<6:
            let function = self.pick(Self.curves)
            // Of large angles the last digit is all that counts.
            let isAngle = ["sin", "cos", "tan"].contains(function)
            result.text = "\(function)(\(isAngle ? "clamp(\(inner.text), -1e4, 1e4)" : inner.text))"
            result.isExact = false
        case 6: result.text = "clamp(\(inner.text), \(self.number()), \(self.number()))"
        case 7: result.text = "\(self.pick(["clamp_min", "clamp_max"]))(\(inner.text), \(self.number()))"
        case 8: result = self.date()
        case 9: result.text = "absent(\(inner.text))"
        case 10:
            let metric = self.anyMetric()
            let selector = #"\#(metric.name){station="nowhere",county="c1"}"#
            return MadeQuery(text: "absent(\(selector))", parts: [MadeQuery(text: selector)])
        default: result.text = "-\(inner.isSingle ? inner.text : "(\(inner.text))")"
        }
        if self.oneIn(30) { result.text = "+(\(result.text))" }
        return result
    }

    /// Of the evaluation time, or of those of samples.
    private mutating func date() -> MadeQuery {
        let function = self.pick(Self.dates)
        if self.oneIn(3) { return MadeQuery(text: "\(function)()") }
        let times = "timestamp(\(self.selector(self.anyMetric()))\(self.modifiers(mayFixTime: false)))"
        guard self.oneIn(2) else { return MadeQuery(text: "(\(times) - 1.7e9)") }
        return MadeQuery(
            text: "\(function)(\(times) - \(self.pick(["0", "86400", "5e7"])))",
            parts: [MadeQuery(text: times)]
        )
    }

    /// Other labels in place of those that are there; two elements that become alike are an error.
    mutating func relabelled(_ depth: Int) -> MadeQuery {
        let inner = self.vector(depth - 1)
        let text =
            switch Int.random(in: 0..<8, using: &self.random) {
            case 0: #"label_replace(\#(inner.text), "county", "", "", "")"#
            case 1: #"label_replace(\#(inner.text), "number", "n$1", "station", "s(.+)")"#
            case 2: #"label_replace(\#(inner.text), "both", "${1}-$2", "station", "(s)([0-9]).*")"#
            case 3: #"label_replace(\#(inner.text), "named", "$first", "county", "(?P<first>c).")"#
            case 4: #"label_replace(\#(inner.text), "station", "all", "county", "c[1-3]")"#
            case 5: #"label_join(\#(inner.text), "joined", "/", "station", "missing", "county")"#
            case 6: #"label_join(\#(inner.text), "station", "", "nothing")"#
            default: #"label_replace(\#(inner.text), "station", "", "depth", "")"#
            }
        return MadeQuery(text: text, parts: [inner], isExact: inner.isExact)
    }

    /// Refused, with the same type of error.
    static let refused = [
        "sum(", "rate(water_level_m)", "water_level_m[5m] + 1", "topk(water_level_m)", "{}", #"{__name__=~".*"}"#,
        "1 and 1", #""a" + 1"#, #"-"a""#, "water_level_m{station=s1}", "no_such_function(1)",
        "sum by (station water_level_m", "water_level_m offset", "1 > 2", "abs(1)", "sum(1)", "vector(water_level_m)",
        "water_level_m[5m][5m]", "water_level_m[1h:0s]", "(water_level_m)[5m]", "rate(water_level_m[5m]) offset 5m",
        "water_level_m + group_left battery_volts", "water_level_m and on(station) group_left battery_volts",
        "water_level_m + bool battery_volts", #"count_values(1, water_level_m)"#, "quantile(water_level_m)",
        "water_level_m + on(county) battery_volts", "soil_moisture_percent * on(station) water_level_m",
        "water_level_m * on(station) group_left soil_moisture_percent", "sum(water_level_m) by (station) by (county)",
        #"water_level_m{station=~"("}"#, "1 +", ")",
        "water_level_m{station='s1'", "sum without", "time(1)", "clamp(water_level_m, 1)", "water_level_m[5]]",
    ]
}

extension MadeQuery {
    /// Whether a sign may stand before it without parentheses.
    var isSingle: Bool { self.text.allSatisfy { $0.isLetter || $0 == "_" } }
}
