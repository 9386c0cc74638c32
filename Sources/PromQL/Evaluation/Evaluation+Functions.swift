// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

extension Evaluation {
    func call(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        switch plan.function {
        case .vector:
            return VectorGrid(steps: grid.count, labels: .empty, try self.scalar(plan.arguments[0], grid))
        case .absent: return self.absence(plan, in: try self.vector(plan.arguments[0], grid))
        case .absentOverTime:
            // Whatever the samples are, a window that holds some has a count.
            let presence = CallPlan(
                function: .countOverTime,
                arguments: plan.arguments,
                absentLabels: .empty,
                pattern: nil,
                note: nil
            )
            return self.absence(plan, in: try self.overWindows(presence, grid))
        case .timestamp:
            if case .instant(let selector) = plan.arguments[0] {
                return try self.instant(selector, grid, showing: .time)
            }
            var vector = try self.vector(plan.arguments[0], grid)
            vector.map { _, step in grid.times[step].seconds }
            return vector
        case .labelReplace, .labelJoin: return try self.relabel(plan, grid)
        case .sort, .sortDesc, .sortByLabel, .sortByLabelDesc:
            if !self.frame.isInstant {
                self.warn(
                    "PromQL warning: sort is ineffective for range queries since results are always ordered by labels"
                )
            }
            return try self.sorted(plan, grid)
        case .histogramFraction: return try self.histogramFraction(plan, grid)
        case .histogramQuantile: return try self.histogramQuantile(plan, grid)
        case .histogramQuantiles: return try self.histogramQuantiles(plan, grid)
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year:
            return try self.dates(plan, grid)
        case .round, .clamp, .clampMin, .clampMax: return try self.bounded(plan, grid)
        case .time, .pi, .scalar, .queryStart, .queryEnd, .queryRange, .queryStep, .maxOf, .minOf:
            throw PromQLError(.execution, "expected an instant vector")
        case .abs, .ceil, .floor, .exp, .ln, .log2, .log10, .sqrt, .sgn, .acos, .acosh, .asin, .asinh, .atan, .atanh,
            .cos, .cosh, .sin, .sinh, .tan, .tanh, .deg, .rad:
            var vector = try self.vector(plan.arguments[0], grid)
            vector.map { value, _ in Self.elementary(plan.function, value) }
            return vector
        default: return try self.overWindows(plan, grid)
        }
    }

    /// One where a vector has no element.
    private func absence(_ plan: CallPlan, in vector: VectorGrid) -> VectorGrid {
        var result = VectorGrid(steps: vector.steps)
        result.append(dropsName: false) { row in
            for step in row.indices where !vector.hasElement(at: step) { row[step] = 1 }
            return plan.absentLabels
        }
        return result
    }

    /// `round`, `clamp`, `clamp_min` and `clamp_max` of a number; absent where the bounds of `clamp` leave nothing.
    static func bounded(_ function: Function, _ value: Double, _ first: Double, _ second: Double) -> Double {
        switch function {
        case .round:
            let inverse = 1 / first
            return (value * inverse + 0.5).rounded(.down) / inverse
        case .clampMin: return greater(value, first)
        case .clampMax: return lesser(value, first)
        default: return second < first ? .absent : greater(first, lesser(second, value))
        }
    }

    private func bounded(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        var vector = try self.vector(plan.arguments[0], grid)
        let first = plan.arguments.count > 1 ? try self.scalar(plan.arguments[1], grid) : .same(1)
        let second = plan.arguments.count > 2 ? try self.scalar(plan.arguments[2], grid) : first
        vector.map { value, step in Self.bounded(plan.function, value, first[step], second[step]) }
        if plan.function == .clamp { vector.removeEmptyRows() }
        return vector
    }

    static func elementary(_ function: Function, _ x: Double) -> Double {
        switch function {
        case .abs: Swift.abs(x)
        case .ceil: x.rounded(.up)
        case .floor: x.rounded(.down)
        case .exp: Foundation.exp(x)
        case .ln: Foundation.log(x)
        case .log2: Foundation.log2(x)
        case .log10: Foundation.log10(x)
        case .sqrt: x.squareRoot()
        case .sgn: x < 0 ? -1 : x > 0 ? 1 : x
        case .acos: Foundation.acos(x)
        case .acosh: Foundation.acosh(x)
        case .asin: Foundation.asin(x)
        case .asinh: Foundation.asinh(x)
        case .atan: Foundation.atan(x)
        case .atanh: Foundation.atanh(x)
        case .cos: Foundation.cos(x)
        case .cosh: Foundation.cosh(x)
        case .sin: Foundation.sin(x)
        case .sinh: Foundation.sinh(x)
        case .tan: Foundation.tan(x)
        case .tanh: Foundation.tanh(x)
        case .deg: x * 180 / Double.pi
        case .rad: x * Double.pi / 180
        default: x
        }
    }

    private func dates(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        guard let argument = plan.arguments.first else {
            let dates = grid.times.map { Self.date(plan.function, $0.seconds) }
            return VectorGrid(steps: grid.count, labels: .empty, .each(dates))
        }
        var vector = try self.vector(argument, grid)
        vector.map { value, _ in Self.date(plan.function, value) }
        return vector
    }

    /// A part of the date of a Unix time in seconds, in UTC.
    private static func date(_ function: Function, _ seconds: Double) -> Double {
        guard seconds.isFinite, Swift.abs(seconds) < 9e12 else { return .nan }
        let whole = Int64(seconds)
        let civil = CivilTime(Timestamp(milliseconds: whole * 1000), offsetMinutes: 0)
        let day = Int((Double(whole) / 86_400).rounded(.down))
        switch function {
        case .minute: return Double(civil.minute)
        case .hour: return Double(civil.hour)
        case .dayOfMonth: return Double(civil.day)
        case .dayOfWeek: return Double(((day + 4) % 7 + 7) % 7)
        case .dayOfYear:
            let before = (1..<civil.month).reduce(0) { $0 + CivilTime.daysInMonth($1, year: civil.year) }
            return Double(before + civil.day)
        case .daysInMonth: return Double(CivilTime.daysInMonth(civil.month, year: civil.year))
        case .month: return Double(civil.month)
        default: return Double(civil.year)
        }
    }
}
