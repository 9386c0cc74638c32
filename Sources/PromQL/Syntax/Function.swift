// poyang
// SPDX-License-Identifier: Apache-2.0

/// The functions of the language, by the name they have in it.
///
/// Source: Prometheus documentation, "Query functions". Functions of native histograms are not among them.
package enum Function: String, CaseIterable, Hashable, Sendable {
    case abs
    case absent
    case ceil
    case changes
    case clamp
    case delta
    case deriv
    case exp
    case floor
    case histogramFraction = "histogram_fraction"
    case histogramQuantile = "histogram_quantile"
    case histogramQuantiles = "histogram_quantiles"
    case idelta
    case increase
    case irate
    case ln
    case absentOverTime = "absent_over_time"
    case clampMax = "clamp_max"
    case clampMin = "clamp_min"
    case dayOfMonth = "day_of_month"
    case dayOfWeek = "day_of_week"
    case dayOfYear = "day_of_year"
    case daysInMonth = "days_in_month"
    case hour
    case labelJoin = "label_join"
    case labelReplace = "label_replace"
    case log10
    case log2
    case minute
    case month
    case pi
    case predictLinear = "predict_linear"
    case rate
    case resets
    case round
    case scalar
    case sgn
    case sort
    case sortDesc = "sort_desc"
    case sortByLabel = "sort_by_label"
    case sortByLabelDesc = "sort_by_label_desc"
    case sqrt
    case time
    /// The first and the last time, the distance and the step of the query itself.
    case queryStart = "start"
    case queryEnd = "end"
    case queryRange = "range"
    case queryStep = "step"
    case maxOf = "max_of"
    case minOf = "min_of"
    case timestamp
    case vector
    case year
    case acos
    case acosh
    case asin
    case asinh
    case atan
    case atanh
    case cos
    case cosh
    case deg
    case rad
    case sin
    case sinh
    case tan
    case tanh
    case avgOverTime = "avg_over_time"
    case minOverTime = "min_over_time"
    case maxOverTime = "max_over_time"
    case sumOverTime = "sum_over_time"
    case countOverTime = "count_over_time"
    case quantileOverTime = "quantile_over_time"
    case stddevOverTime = "stddev_over_time"
    case stdvarOverTime = "stdvar_over_time"
    case lastOverTime = "last_over_time"
    case firstOverTime = "first_over_time"
    case presentOverTime = "present_over_time"
    case madOverTime = "mad_over_time"
    case tsOfMinOverTime = "ts_of_min_over_time"
    case tsOfMaxOverTime = "ts_of_max_over_time"
    case tsOfFirstOverTime = "ts_of_first_over_time"
    case tsOfLastOverTime = "ts_of_last_over_time"
    case doubleExponentialSmoothing = "double_exponential_smoothing"
    /// Ours: sums of rain that know which totals span a gap, as a lower and an upper bound.
    case coveredSumOverTime = "covered_sum_over_time"
    case possibleSumOverTime = "possible_sum_over_time"

    /// What a function takes and gives.
    struct Signature: Sendable {
        var arguments: [ExpressionType]
        /// How many of the last arguments may be left out.
        var optional = 0
        /// How often the last argument may be repeated.
        var repetitions = 0
        var result = ExpressionType.vector
    }

    var signature: Signature {
        switch self {
        case .abs, .absent, .ceil, .exp, .floor, .ln, .log10, .log2, .sgn, .sort, .sortDesc, .sqrt, .timestamp,
            .acos, .acosh, .asin, .asinh, .atan, .atanh, .cos, .cosh, .deg, .rad, .sin, .sinh, .tan, .tanh:
            Signature(arguments: [.vector])
        case .changes, .delta, .deriv, .idelta, .increase, .irate, .rate, .resets, .absentOverTime, .avgOverTime,
            .minOverTime, .maxOverTime, .sumOverTime, .countOverTime, .stddevOverTime, .stdvarOverTime,
            .lastOverTime, .firstOverTime, .presentOverTime, .madOverTime, .tsOfMinOverTime,
            .tsOfMaxOverTime, .tsOfFirstOverTime, .tsOfLastOverTime, .coveredSumOverTime,
            .possibleSumOverTime:
            Signature(arguments: [.matrix])
        case .clamp: Signature(arguments: [.vector, .scalar, .scalar])
        case .clampMax, .clampMin: Signature(arguments: [.vector, .scalar])
        case .histogramFraction: Signature(arguments: [.scalar, .scalar, .vector])
        case .histogramQuantile: Signature(arguments: [.scalar, .vector])
        case .histogramQuantiles: Signature(arguments: [.vector, .string, .scalar], repetitions: 9)
        case .quantileOverTime: Signature(arguments: [.scalar, .matrix])
        case .predictLinear: Signature(arguments: [.matrix, .scalar])
        case .doubleExponentialSmoothing: Signature(arguments: [.matrix, .scalar, .scalar])
        case .round: Signature(arguments: [.vector, .scalar], optional: 1)
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year:
            Signature(arguments: [.vector], optional: 1)
        case .labelReplace: Signature(arguments: [.vector, .string, .string, .string, .string])
        case .labelJoin: Signature(arguments: [.vector, .string, .string, .string], optional: 1, repetitions: .max)
        case .sortByLabel, .sortByLabelDesc:
            Signature(arguments: [.vector, .string], optional: 1, repetitions: .max)
        case .pi, .time, .queryStart, .queryEnd, .queryRange, .queryStep: Signature(arguments: [], result: .scalar)
        case .maxOf, .minOf: Signature(arguments: [.scalar, .scalar], result: .scalar)
        case .scalar: Signature(arguments: [.vector], result: .scalar)
        case .vector: Signature(arguments: [.scalar])
        }
    }

    /// Whether it gives a part of a date in UTC that is another in local time; minutes are the same.
    var isPartOfDate: Bool {
        switch self {
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .month, .year: true
        default: false
        }
    }

    /// Whether the result moves with the evaluation time while the samples stay the same.
    ///
    /// `rate`, `increase` and `delta` extrapolate to the borders of their window, `predict_linear` looks ahead from
    /// the evaluation time. The date functions do so only without an argument.
    func movesWithTime(argumentCount: Int) -> Bool {
        switch self {
        case .time, .queryStart, .queryEnd, .rate, .increase, .delta, .predictLinear: true
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year:
            argumentCount == 0
        case .timestamp: true
        default: false
        }
    }
}
