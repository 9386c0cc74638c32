// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Evaluation {
    /// `label_replace` and `label_join`.
    func relabel(_ plan: CallPlan, at time: Timestamp) throws -> [Element] {
        var vector = try self.vector(plan.arguments[0], at: time)
        let target = plan.text(1)
        for index in vector.indices {
            let labels = vector[index].labels
            if plan.function == .labelJoin {
                let sources = 3..<max(3, plan.arguments.count)
                let text = sources.map { labels[plan.text($0)] }.joined(separator: plan.text(2))
                vector[index].labels[target] = text
            } else {
                let replaced = plan.pattern?.replacing(labels[plan.text(3)], with: plan.text(2))
                guard let replaced else { continue }
                vector[index].labels[target] = replaced
            }
            if target == Labels.metricName { vector[index].dropsName = false }
        }
        if let twice = duplicate(in: vector) {
            throw PromQLError(.matching, "vector cannot contain metrics with the same labelset: \(twice)")
        }
        return vector
    }

    func sorted(_ plan: CallPlan, at time: Timestamp) throws -> [Element] {
        let vector = try self.vector(plan.arguments[0], at: time)
        switch plan.function {
        case .sort: return vector.sorted { isOrdered($0.value, $1.value, by: <) }
        case .sortDesc: return vector.sorted { isOrdered($0.value, $1.value, by: >) }
        default: break
        }
        let names = (1..<max(1, plan.arguments.count)).map(plan.text)
        let rises = plan.function == .sortByLabel
        return vector.sorted { left, right in
            for name in names {
                let first = left.labels[name]
                let second = right.labels[name]
                if first != second { return naturallyPrecedes(first, second) == rises }
            }
            return (left.labels < right.labels) == rises && left.labels != right.labels
        }
    }
}

/// Whether `left` sorts before `right` where runs of digits count as numbers: `4m5` before `4m600`.
func naturallyPrecedes(_ left: String, _ right: String) -> Bool {
    var first = Substring(left).utf8
    var second = Substring(right).utf8
    while let one = first.first, let other = second.first {
        if one.isDigit, other.isDigit {
            let number = first.prefix(while: \.isDigit)
            let otherNumber = second.prefix(while: \.isDigit)
            first = first.dropFirst(number.count)
            second = second.dropFirst(otherNumber.count)
            let digits = number.drop { $0 == UInt8(ascii: "0") }
            let otherDigits = otherNumber.drop { $0 == UInt8(ascii: "0") }
            if digits.count != otherDigits.count { return digits.count < otherDigits.count }
            if !digits.elementsEqual(otherDigits) { return digits.lexicographicallyPrecedes(otherDigits) }
        } else {
            if one != other { return one < other }
            first = first.dropFirst()
            second = second.dropFirst()
        }
    }
    return first.isEmpty && !second.isEmpty
}
