// poyang
// SPDX-License-Identifier: Apache-2.0

/// The functions of the language, by the name they have in it.
///
/// Source: Prometheus documentation, "Query functions". Functions of native histograms are not among them.
package enum Function: String, CaseIterable, Hashable, Sendable {
    case abs, absent, ceil, changes, clamp, delta, deriv, exp, floor, histogram_quantile, idelta, increase, irate, ln
    case absent_over_time, clamp_max, clamp_min, day_of_month, day_of_week, day_of_year, days_in_month, hour
    case label_join, label_replace, log10, log2, minute, month, pi, predict_linear, rate, resets, round, scalar, sgn
    case sort, sort_desc, sort_by_label, sort_by_label_desc, sqrt, time, timestamp, vector, year
    case acos, acosh, asin, asinh, atan, atanh, cos, cosh, deg, rad, sin, sinh, tan, tanh
    case avg_over_time, min_over_time, max_over_time, sum_over_time, count_over_time, quantile_over_time
    case stddev_over_time, stdvar_over_time, last_over_time, first_over_time, present_over_time, mad_over_time
    case ts_of_min_over_time, ts_of_max_over_time, ts_of_first_over_time, ts_of_last_over_time
    case double_exponential_smoothing
    /// Ours: sums of rain that know which totals span a gap.
    case covered_sum_over_time, possible_sum_over_time

    /// What a function takes and gives.
    struct Signature: Sendable {
        var arguments: [ExpressionType]
        /// How many of the last arguments may be left out.
        var optional = 0
        /// Whether the last argument may be given any number of times.
        var isVariadic = false
        var result = ExpressionType.vector
    }

    var signature: Signature {
        switch self {
        case .abs, .absent, .ceil, .exp, .floor, .ln, .log10, .log2, .sgn, .sort, .sort_desc, .sqrt, .timestamp,
            .acos, .acosh, .asin, .asinh, .atan, .atanh, .cos, .cosh, .deg, .rad, .sin, .sinh, .tan, .tanh:
            Signature(arguments: [.vector])
        case .changes, .delta, .deriv, .idelta, .increase, .irate, .rate, .resets, .absent_over_time, .avg_over_time,
            .min_over_time, .max_over_time, .sum_over_time, .count_over_time, .stddev_over_time, .stdvar_over_time,
            .last_over_time, .first_over_time, .present_over_time, .mad_over_time, .ts_of_min_over_time,
            .ts_of_max_over_time, .ts_of_first_over_time, .ts_of_last_over_time, .covered_sum_over_time,
            .possible_sum_over_time:
            Signature(arguments: [.matrix])
        case .clamp: Signature(arguments: [.vector, .scalar, .scalar])
        case .clamp_max, .clamp_min: Signature(arguments: [.vector, .scalar])
        case .histogram_quantile: Signature(arguments: [.scalar, .vector])
        case .quantile_over_time: Signature(arguments: [.scalar, .matrix])
        case .predict_linear: Signature(arguments: [.matrix, .scalar])
        case .double_exponential_smoothing: Signature(arguments: [.matrix, .scalar, .scalar])
        case .round: Signature(arguments: [.vector, .scalar], optional: 1)
        case .day_of_month, .day_of_week, .day_of_year, .days_in_month, .hour, .minute, .month, .year:
            Signature(arguments: [.vector], optional: 1)
        case .label_replace: Signature(arguments: [.vector, .string, .string, .string, .string])
        case .label_join: Signature(arguments: [.vector, .string, .string, .string], optional: 1, isVariadic: true)
        case .sort_by_label, .sort_by_label_desc:
            Signature(arguments: [.vector, .string], optional: 1, isVariadic: true)
        case .pi, .time: Signature(arguments: [], result: .scalar)
        case .scalar: Signature(arguments: [.vector], result: .scalar)
        case .vector: Signature(arguments: [.scalar])
        }
    }

    /// Whether the result moves with the evaluation time while the samples stay the same.
    ///
    /// `rate`, `increase` and `delta` extrapolate to the borders of their window, `predict_linear` looks ahead from
    /// the evaluation time. The date functions do so only without an argument.
    func movesWithTime(argumentCount: Int) -> Bool {
        switch self {
        case .time, .rate, .increase, .delta, .predict_linear: true
        case .day_of_month, .day_of_week, .day_of_year, .days_in_month, .hour, .minute, .month, .year:
            argumentCount == 0
        case .timestamp: true
        default: false
        }
    }
}
