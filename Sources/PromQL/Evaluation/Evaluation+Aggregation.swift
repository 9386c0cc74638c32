// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

extension Evaluation {
    func aggregate(_ plan: AggregationPlan, _ grid: StepGrid) throws -> VectorGrid {
        var parameter = ScalarSteps.same(0)
        if let written = plan.parameter, plan.operation.parameter == .scalar {
            parameter = try self.scalar(written, grid)
        }
        let vector = try self.vector(plan.inner, grid)
        switch plan.operation {
        case .topk, .bottomk, .limitk:
            for step in 0..<grid.count { try Self.checkCount(parameter[step]) }
            return self.selectSome(plan, vector, parameter)
        case .limitRatio: return try self.selectShare(vector, parameter)
        case .countValues: return try self.countValues(plan, vector)
        case .quantile:
            if !vector.isEmpty { self.checkShare(parameter) }
            return self.reduced(plan, vector) { values, step in PromQL.quantile(parameter[step], values) }
        case .stddev: return self.reduced(plan, vector) { values, _ in variance(values).squareRoot() }
        case .stdvar: return self.reduced(plan, vector) { values, _ in variance(values) }
        case .sum, .avg, .min, .max, .count, .group:
            return self.folded(plan, vector)
        }
    }

    // MARK: Groups

    private struct Group {
        var labels: Labels
        var members: [Int]
        var dropsName: Bool
    }

    private func groups(_ plan: AggregationPlan, _ vector: VectorGrid) -> [Group] {
        if vector.isEmpty { return [] }
        if case .by(let names) = plan.grouping, names.isEmpty {
            let dropsName = vector.rows.contains(where: \.dropsName)
            return [Group(labels: .empty, members: Array(vector.rows.indices), dropsName: dropsName)]
        }
        var groups: [Group] = []
        var places: [Labels: Int] = [:]
        for (row, entry) in vector.rows.enumerated() {
            let labels = self.key(plan.grouping, entry.labels)
            // A few are compared one by one, which is quicker than hashing.
            let known =
                vector.count <= MatchTable.tiny ? groups.firstIndex { $0.labels == labels } : places[labels]
            if let place = known {
                groups[place].members.append(row)
                if entry.dropsName { groups[place].dropsName = true }
            } else {
                if vector.count > MatchTable.tiny { places[labels] = groups.count }
                groups.append(Group(labels: labels, members: [row], dropsName: entry.dropsName))
            }
        }
        return groups
    }

    private func key(_ grouping: Aggregation.Grouping, _ labels: Labels) -> Labels {
        switch grouping {
        case .by(let names): labels.keeping(names)
        case .without(let names): labels.removing(names + [Labels.metricName])
        }
    }

    // MARK: One element of each group

    /// Members one after the other, each at all steps.
    private func folded(_ plan: AggregationPlan, _ vector: VectorGrid) -> VectorGrid {
        var result = VectorGrid(steps: vector.steps)
        for group in self.groups(plan, vector) {
            result.append(dropsName: group.dropsName) { places in
                vector.values.withUnsafeBufferPointer { values in
                    let fold = GroupFold(values, steps: vector.steps, members: group.members)
                    switch plan.operation {
                    case .sum: fold.sum(into: places)
                    case .avg: fold.average(into: places)
                    case .min: fold.extreme(into: places, wins: <)
                    case .max: fold.extreme(into: places, wins: >)
                    case .count: fold.count(into: places)
                    default: fold.one(into: places)
                    }
                }
                return group.labels
            }
        }
        return result
    }

    /// What `value` makes of all elements of a group at each step.
    private func reduced(
        _ plan: AggregationPlan,
        _ vector: VectorGrid,
        _ value: (_ elements: [Double], _ step: Int) -> Double
    ) -> VectorGrid {
        var result = VectorGrid(steps: vector.steps)
        var elements: [Double] = []
        for group in self.groups(plan, vector) {
            result.append(dropsName: group.dropsName) { places in
                for step in places.indices {
                    elements.removeAll(keepingCapacity: true)
                    for member in group.members {
                        let element = vector.value(member, step)
                        if !element.isAbsent { elements.append(element) }
                    }
                    if !elements.isEmpty { places[step] = value(elements, step) }
                }
                return group.labels
            }
        }
        return result
    }

    // MARK: Some elements of each group

    /// `topk`, `bottomk`, `limitk`: some of the elements as they are; the best first where there is one step only.
    private func selectSome(_ plan: AggregationPlan, _ vector: VectorGrid, _ parameter: ScalarSteps) -> VectorGrid {
        var chosen = Array(repeating: Double.absent, count: vector.values.count)
        var order: [Int] = []
        for group in self.groups(plan, vector) {
            for step in 0..<vector.steps {
                var members = group.members.filter { !vector.value($0, step).isAbsent }
                let wanted = Int(min(parameter[step], Double(members.count)))
                guard wanted >= 1 else { continue }
                switch plan.operation {
                case .topk: members.sort { isOrdered(vector.value($0, step), vector.value($1, step), by: >) }
                case .bottomk: members.sort { isOrdered(vector.value($0, step), vector.value($1, step), by: <) }
                default: break
                }
                for member in members.prefix(wanted) {
                    chosen[member * vector.steps + step] = vector.value(member, step)
                    if vector.steps == 1 { order.append(member) }
                }
            }
        }
        if vector.steps > 1 { order = Array(vector.rows.indices) }
        var result = VectorGrid(steps: vector.steps)
        for row in order {
            result.append(vector.rows[row], chosen[row * vector.steps..<(row + 1) * vector.steps])
        }
        result.removeEmptyRows()
        return result
    }

    /// `limit_ratio`: the elements whose labels have a hash in the lower part of all hashes, or in the upper one where the
    /// ratio is below zero, whatever group they are in.
    private func selectShare(_ vector: VectorGrid, _ ratios: ScalarSteps) throws -> VectorGrid {
        let steps = 0..<vector.steps
        guard !steps.contains(where: { ratios[$0].isNaN }) else { throw PromQLError(.execution, "Ratio value is NaN") }
        let beyond = [steps.map { ratios[$0] }.max(), steps.map { ratios[$0] }.min()].compactMap { $0 }
        for ratio in beyond where abs(ratio) > 1 {
            let text = "ratio value should be between -1 and 1, got \(NumberText.text(ratio)), capping to "
            self.warn("PromQL warning: " + text + (ratio < 0 ? "-1" : "1"))
        }
        var result = VectorGrid(steps: vector.steps)
        for (row, entry) in vector.rows.enumerated() {
            let place = (entry.dropsName ? entry.labels.removingMetadata() : entry.labels).placeAmongHashes
            result.append(dropsName: entry.dropsName) { places in
                for step in places.indices {
                    let ratio = min(max(ratios[step], -1), 1)
                    let isChosen = ratio < 0 ? place >= 1 + ratio : place < ratio
                    if isChosen { places[step] = vector.value(row, step) }
                }
                return entry.labels
            }
        }
        return result
    }

    private static func checkCount(_ parameter: Double) throws {
        guard !parameter.isNaN else { throw PromQLError(.execution, "Parameter value is NaN") }
        guard parameter > -9.2e18, parameter < 9.2e18 else {
            throw PromQLError(.execution, "Scalar value \(NumberText.text(parameter)) overflows int64")
        }
    }

    private func countValues(_ plan: AggregationPlan, _ vector: VectorGrid) throws -> VectorGrid {
        guard case .string(let name)? = plan.parameter, !name.isEmpty else {
            throw PromQLError(.execution, "invalid label name \"\" in count_values")
        }
        var order: [Labels] = []
        var counts: [Labels: (counts: [Double], dropsName: Bool)] = [:]
        for (row, entry) in vector.rows.enumerated() {
            let key = self.key(plan.grouping, entry.labels)
            for (step, value) in vector.values(of: row).enumerated() where !value.isAbsent {
                let labels = key.with(name, NumberText.decimal(value))
                if counts[labels] == nil {
                    order.append(labels)
                    let none = Array(repeating: Double.absent, count: vector.steps)
                    counts[labels] = (none, entry.dropsName && name != Labels.metricName)
                }
                let before = counts[labels]?.counts[step] ?? .absent
                counts[labels]?.counts[step] = before.isAbsent ? 1 : before + 1
            }
        }
        var result = VectorGrid(steps: vector.steps)
        for labels in order {
            guard let found = counts[labels] else { continue }
            try self.meter.hold(series: 1, steps: vector.steps)
            result.append(VectorGrid.Row(labels: labels, dropsName: found.dropsName), found.counts)
        }
        return result
    }
}

/// Reduces the rows of one group to one, step by step in the order of the rows.
private struct GroupFold {
    private let values: UnsafeBufferPointer<Double>
    private let steps: Int
    private let members: [Int]

    init(_ values: UnsafeBufferPointer<Double>, steps: Int, members: [Int]) {
        self.values = values
        self.steps = steps
        self.members = members
    }

    @inline(__always)
    private func each(_ body: (_ step: Int, _ value: Double) -> Void) {
        for member in self.members {
            let row = member * self.steps
            for step in 0..<self.steps {
                let value = self.values[row + step]
                if !value.isAbsent { body(step, value) }
            }
        }
    }

    /// Writes plain sums, and returns what they lost (see ``CompensatedSum``).
    private func sums(into places: UnsafeMutableBufferPointer<Double>) -> [Double] {
        var compensations = [Double](repeating: 0, count: self.steps)
        compensations.withUnsafeMutableBufferPointer { compensations in
            self.each { step, value in
                if places[step].isAbsent {
                    places[step] = value
                } else {
                    var sum = CompensatedSum(places[step], compensation: compensations[step])
                    sum.add(value)
                    places[step] = sum.sum
                    compensations[step] = sum.compensation
                }
            }
        }
        return compensations
    }

    func sum(into places: UnsafeMutableBufferPointer<Double>) {
        for (step, compensation) in self.sums(into: places).enumerated() where !places[step].isAbsent {
            places[step] += compensation
        }
    }

    func average(into places: UnsafeMutableBufferPointer<Double>) {
        var counts = [Double](repeating: 0, count: self.steps)
        self.each { step, _ in counts[step] += 1 }
        for (step, compensation) in self.sums(into: places).enumerated() where !places[step].isAbsent {
            let sum = places[step]
            places[step] =
                sum.isInfinite ? self.runningAverage(at: step) : sum / counts[step] + compensation / counts[step]
        }
    }

    /// Survives sums beyond the range of `Double`.
    private func runningAverage(at step: Int) -> Double {
        var average: RunningAverage?
        for member in self.members {
            let value = self.values[member * self.steps + step]
            if value.isAbsent { continue }
            if average == nil { average = RunningAverage(value) } else { average?.add(value) }
        }
        return average?.value ?? .nan
    }

    func extreme(into places: UnsafeMutableBufferPointer<Double>, wins: (Double, Double) -> Bool) {
        self.each { step, value in
            // What is absent is no number either.
            if wins(value, places[step]) || places[step].isNaN { places[step] = value }
        }
    }

    func count(into places: UnsafeMutableBufferPointer<Double>) {
        self.each { step, _ in places[step] = places[step].isAbsent ? 1 : places[step] + 1 }
    }

    func one(into places: UnsafeMutableBufferPointer<Double>) {
        self.each { step, _ in places[step] = 1 }
    }
}

/// Whether `left` comes before `right`; what is no number comes last.
func isOrdered(_ left: Double, _ right: Double, by precedes: (Double, Double) -> Bool) -> Bool {
    if left.isNaN { return false }
    return right.isNaN || precedes(left, right)
}

/// The population variance, by Welford's method.
func variance(_ values: some Sequence<Double>) -> Double {
    var count = 0.0
    var mean = CompensatedSum()
    var squares = CompensatedSum()
    for value in values {
        count += 1
        let distance = value - mean.value
        mean.add(distance / count)
        squares.add(distance * (value - mean.value))
    }
    return squares.value / count
}

/// The φ-quantile by linear interpolation; NaN of nothing, ±Inf outside 0…1.
func quantile(_ share: Double, _ values: [Double]) -> Double {
    let sorted = values.sorted { $0.isNaN ? !$1.isNaN : $0 < $1 }
    return quantile(share, count: sorted.count) { sorted[$0] }
}

/// The same of `count` values, of which `sorted` gives each by its place.
@inline(__always)
func quantile(_ share: Double, count: Int, sorted: (Int) -> Double) -> Double {
    if count == 0 || share.isNaN { return .nan }
    if share < 0 { return -.infinity }
    if share > 1 { return .infinity }
    let rank = share * Double(count - 1)
    let lower = Int(rank.rounded(.down))
    let upper = min(count - 1, lower + 1)
    let weight = rank - rank.rounded(.down)
    return sorted(lower) * (1 - weight) + sorted(upper) * weight
}

extension NumberText {
    /// Without an exponent, as `count_values` names values.
    package static func decimal(_ value: Double) -> String {
        let text = self.text(value)
        guard value.isFinite, let mark = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: mark)...])
        else { return text }
        let isNegative = text.hasPrefix("-")
        let mantissa = text[..<mark].drop { $0 == "-" }
        let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        let whole = String(parts[0])
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let digits = whole + fraction
        let point = whole.count + exponent
        let sign = isNegative ? "-" : ""
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if point >= digits.count { return sign + digits + String(repeating: "0", count: point - digits.count) }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }
}
