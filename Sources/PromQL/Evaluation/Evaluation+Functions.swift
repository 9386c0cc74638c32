// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

extension Evaluation {
    func call(_ plan: CallPlan, at time: Timestamp) throws -> [Element] {
        switch plan.function {
        case .vector:
            return [Element(labels: .empty, value: try self.scalar(plan.arguments[0], at: time), dropsName: false)]
        case .absent:
            let vector = try self.vector(plan.arguments[0], at: time)
            return vector.isEmpty ? [Element(labels: plan.absentLabels, value: 1, dropsName: false)] : []
        case .absentOverTime:
            let windows = try self.windows(plan.arguments[0], at: time)
            return windows.isEmpty ? [Element(labels: plan.absentLabels, value: 1, dropsName: false)] : []
        case .timestamp: return try self.timestamps(plan.arguments[0], at: time)
        case .labelReplace, .labelJoin: return try self.relabel(plan, at: time)
        case .sort, .sortDesc, .sortByLabel, .sortByLabelDesc:
            if !self.isInstant {
                self.warn(
                    "PromQL warning: sort is ineffective for range queries since results are always ordered by labels"
                )
            }
            return try self.sorted(plan, at: time)
        case .histogramQuantile: return try self.histogramQuantile(plan, at: time)
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year:
            return try self.dates(plan, at: time)
        case .round, .clamp, .clampMin, .clampMax: return try self.bounded(plan, at: time)
        case .time, .pi, .scalar, .queryStart, .queryEnd, .queryRange, .queryStep, .maxOf, .minOf:
            throw PromQLError(.execution, "expected an instant vector")
        case .abs, .ceil, .floor, .exp, .ln, .log2, .log10, .sqrt, .sgn, .acos, .acosh, .asin, .asinh, .atan, .atanh,
            .cos, .cosh, .sin, .sinh, .tan, .tanh, .deg, .rad:
            var vector = try self.vector(plan.arguments[0], at: time)
            for index in vector.indices {
                vector[index].value = Self.elementary(plan.function, vector[index].value)
                vector[index].dropsName = true
            }
            return vector
        default: return try self.overWindows(plan, at: time)
        }
    }

    private func overWindows(_ plan: CallPlan, at time: Timestamp) throws -> [Element] {
        if let known = try self.summarized(plan, at: time) { return known }
        var parameters: [Double] = []
        var windows: [Window] = []
        for argument in plan.arguments {
            if argument.type == .matrix {
                windows = try self.windows(argument, at: time)
            } else {
                parameters.append(try self.scalar(argument, at: time))
            }
        }
        if plan.function == .quantileOverTime, !windows.isEmpty, !(0...1).contains(parameters[0]) {
            self.warn(
                "PromQL warning: quantile value should be between 0 and 1, got \(NumberText.text(parameters[0]))"
            )
        }
        let keepsName = plan.function == .lastOverTime || plan.function == .firstOverTime
        var result: [Element] = []
        result.reserveCapacity(windows.count)
        for window in windows {
            let value = try WindowFunctions.value(plan.function, of: window, parameters: parameters, at: time)
            guard let value else { continue }
            result.append(
                Element(labels: window.labels, value: value, dropsName: keepsName ? window.dropsName : true)
            )
        }
        if let note = plan.note, !result.isEmpty { self.warn(note) }
        return result
    }

    private func timestamps(_ plan: Plan, at time: Timestamp) throws -> [Element] {
        if case .instant(let selector) = plan {
            let loaded = try self.series(of: selector)
            var result: [Element] = []
            try self.eachVisible(loaded, selector, at: time) { index, sample in
                let series = loaded.series[index]
                result.append(Element(labels: series.labels, value: series.times[sample].seconds, dropsName: true))
            }
            return result
        }
        var vector = try self.vector(plan, at: time)
        for index in vector.indices {
            vector[index].value = time.seconds
            vector[index].dropsName = true
        }
        return vector
    }

    private func bounded(_ plan: CallPlan, at time: Timestamp) throws -> [Element] {
        var vector = try self.vector(plan.arguments[0], at: time)
        let first = plan.arguments.count > 1 ? try self.scalar(plan.arguments[1], at: time) : 1
        let second = plan.arguments.count > 2 ? try self.scalar(plan.arguments[2], at: time) : first
        if plan.function == .clamp, second < first { return [] }
        let inverse = 1 / first
        for index in vector.indices {
            let value = vector[index].value
            switch plan.function {
            case .round: vector[index].value = (value * inverse + 0.5).rounded(.down) / inverse
            case .clampMin: vector[index].value = Self.greater(value, first)
            case .clampMax: vector[index].value = Self.lesser(value, first)
            default: vector[index].value = Self.greater(first, Self.lesser(second, value))
            }
            vector[index].dropsName = true
        }
        return vector
    }

    static func greater(_ left: Double, _ right: Double) -> Double {
        left.isNaN || right.isNaN ? .nan : max(left, right)
    }

    static func lesser(_ left: Double, _ right: Double) -> Double {
        left.isNaN || right.isNaN ? .nan : min(left, right)
    }

    private static func elementary(_ function: Function, _ x: Double) -> Double {
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

    private func dates(_ plan: CallPlan, at time: Timestamp) throws -> [Element] {
        guard let argument = plan.arguments.first else {
            return [Element(labels: .empty, value: Self.date(plan.function, time.seconds), dropsName: false)]
        }
        var vector = try self.vector(argument, at: time)
        for index in vector.indices {
            vector[index].value = Self.date(plan.function, vector[index].value)
            vector[index].dropsName = true
        }
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
