// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

extension Evaluation {
    func aggregate(_ plan: AggregationPlan, at time: Timestamp) throws -> [Element] {
        var parameter = 0.0
        if let written = plan.parameter, plan.operation.parameter == .scalar {
            parameter = try self.scalar(written, at: time)
        }
        let vector = try self.vector(plan.inner, at: time)
        switch plan.operation {
        case .topk, .bottomk, .limitk: try Self.checkCount(parameter)
        default: break
        }
        guard !vector.isEmpty else { return [] }
        switch plan.operation {
        case .topk, .bottomk, .limitk:
            return self.selectSome(plan, vector, parameter)
        case .countValues:
            return try self.countValues(plan, vector)
        case .quantile:
            if !(0...1).contains(parameter) {
                self.warn("PromQL warning: quantile value should be between 0 and 1, got \(NumberText.text(parameter))")
            }
            return self.grouped(plan, vector)
                .map { group in
                    let values = group.members.map { vector[$0].value }
                    return Element(
                        labels: group.labels,
                        value: quantile(parameter, values),
                        dropsName: group.dropsName
                    )
                }
        case .sum, .avg, .min, .max, .count, .group, .stddev, .stdvar:
            return self.grouped(plan, vector)
                .map { group in
                    Element(
                        labels: group.labels,
                        value: Self.reduce(plan.operation, group.members, of: vector),
                        dropsName: group.dropsName
                    )
                }
        }
    }

    private struct Group {
        var labels: Labels
        var members: [Int]
        var dropsName: Bool
    }

    private func grouped(_ plan: AggregationPlan, _ vector: [Element]) -> [Group] {
        if case .by(let names) = plan.grouping, names.isEmpty {
            return [
                Group(labels: .empty, members: Array(vector.indices), dropsName: vector.contains(where: \.dropsName))
            ]
        }
        return vector.count <= MatchTable.tiny
            ? self.groupedOneByOne(plan.grouping, vector) : self.groupedByTable(plan, vector)
    }

    private func groupedOneByOne(_ grouping: Aggregation.Grouping, _ vector: [Element]) -> [Group] {
        var groups: [Group] = []
        for (index, element) in vector.enumerated() {
            let labels = self.key(grouping, element.labels)
            if let place = groups.firstIndex(where: { $0.labels == labels }) {
                groups[place].members.append(index)
                groups[place].dropsName = groups[place].dropsName || element.dropsName
            } else {
                groups.append(Group(labels: labels, members: [index], dropsName: element.dropsName))
            }
        }
        return groups
    }

    private func groupedByTable(_ plan: AggregationPlan, _ vector: [Element]) -> [Group] {
        let table = self.groupTable(of: plan)
        var groups: [Group] = []
        /// For each row of the table the place in `groups`, or −1.
        var places = [Int](repeating: -1, count: table.keys.count)
        for (index, element) in vector.enumerated() {
            let row = table.row(of: element.labels, at: index) { self.key(plan.grouping, $0) }
            if row >= places.count { places.append(-1) }
            if places[row] < 0 {
                places[row] = groups.count
                groups.append(Group(labels: table.keys[row], members: [index], dropsName: element.dropsName))
            } else {
                groups[places[row]].members.append(index)
                if element.dropsName { groups[places[row]].dropsName = true }
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

    private static func reduce(_ operation: AggregationOperator, _ members: [Int], of vector: [Element]) -> Double {
        let first = vector[members[0]].value
        switch operation {
        case .sum:
            var sum = CompensatedSum(first)
            for member in members.dropFirst() { sum.add(vector[member].value) }
            return sum.value
        case .avg:
            var average = RunningAverage(first)
            for member in members.dropFirst() { average.add(vector[member].value) }
            return average.value
        case .min:
            return members.dropFirst()
                .reduce(first) { least, member in
                    let value = vector[member].value
                    return value < least || least.isNaN ? value : least
                }
        case .max:
            return members.dropFirst()
                .reduce(first) { most, member in
                    let value = vector[member].value
                    return value > most || most.isNaN ? value : most
                }
        case .count: return Double(members.count)
        case .stddev: return variance(members.lazy.map { vector[$0].value }).squareRoot()
        case .stdvar: return variance(members.lazy.map { vector[$0].value })
        case .group, .topk, .bottomk, .quantile, .countValues, .limitk: return 1
        }
    }

    /// `topk`, `bottomk`, `limitk`: some of the elements as they are.
    private func selectSome(_ plan: AggregationPlan, _ vector: [Element], _ parameter: Double) -> [Element] {
        let wanted = Int(min(parameter, Double(vector.count)))
        guard wanted >= 1 else { return [] }
        var result: [Element] = []
        for group in self.grouped(plan, vector) {
            var members = group.members
            switch plan.operation {
            case .topk: members.sort { isOrdered(vector[$0].value, vector[$1].value, by: >) }
            case .bottomk: members.sort { isOrdered(vector[$0].value, vector[$1].value, by: <) }
            default: break
            }
            for member in members.prefix(wanted) { result.append(vector[member]) }
        }
        return result
    }

    private static func checkCount(_ parameter: Double) throws {
        guard !parameter.isNaN else { throw PromQLError(.execution, "Parameter value is NaN") }
        guard parameter > -9.2e18, parameter < 9.2e18 else {
            throw PromQLError(.execution, "Scalar value \(NumberText.text(parameter)) overflows int64")
        }
    }

    private func countValues(_ plan: AggregationPlan, _ vector: [Element]) throws -> [Element] {
        guard case .string(let name)? = plan.parameter, !name.isEmpty else {
            throw PromQLError(.execution, "invalid label name \"\" in count_values")
        }
        var counts: [Labels: Int] = [:]
        var result: [Element] = []
        for element in vector {
            var labels = self.key(plan.grouping, element.labels)
            labels[name] = NumberText.decimal(element.value)
            if let place = counts[labels] {
                result[place].value += 1
            } else {
                counts[labels] = result.count
                let dropsName = element.dropsName && name != Labels.metricName
                result.append(Element(labels: labels, value: 1, dropsName: dropsName))
            }
        }
        return result
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
    if values.isEmpty || share.isNaN { return .nan }
    if share < 0 { return -.infinity }
    if share > 1 { return .infinity }
    let sorted = values.sorted { $0.isNaN ? !$1.isNaN : $0 < $1 }
    let rank = share * Double(sorted.count - 1)
    let lower = Int(rank.rounded(.down))
    let upper = min(sorted.count - 1, lower + 1)
    let weight = rank - rank.rounded(.down)
    return sorted[lower] * (1 - weight) + sorted[upper] * weight
}

extension NumberText {
    /// Without an exponent, as `count_values` names values.
    static func decimal(_ value: Double) -> String {
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
