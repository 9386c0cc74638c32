// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Evaluation {
    /// `label_replace` and `label_join`.
    func relabel(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        var vector = try self.vector(plan.arguments[0], grid)
        let target = plan.text(1)
        for (row, entry) in vector.rows.enumerated() {
            let text: String
            if plan.function == .labelJoin {
                let sources = 3..<max(3, plan.arguments.count)
                text = sources.map { entry.labels[plan.text($0)] }.joined(separator: plan.text(2))
            } else {
                let replaced = plan.pattern?.replacing(entry.labels[plan.text(3)], with: plan.text(2))
                guard let replaced else { continue }
                text = replaced
            }
            let dropsName = entry.dropsName && target != Labels.metricName
            vector.relabel(row, entry.labels.with(target, text), dropsName: dropsName)
        }
        return try self.joined(vector)
    }

    /// Only the order at one step can be told.
    func sorted(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        let vector = try self.vector(plan.arguments[0], grid)
        guard vector.steps == 1 else { return vector }
        let rows = Array(vector.rows.indices)
        switch plan.function {
        case .sort: return vector.picking(rows.sorted { isOrdered(vector.values[$0], vector.values[$1], by: <) })
        case .sortDesc: return vector.picking(rows.sorted { isOrdered(vector.values[$0], vector.values[$1], by: >) })
        default: break
        }
        let names = (1..<max(1, plan.arguments.count)).map(plan.text)
        let rises = plan.function == .sortByLabel
        let order = rows.sorted { one, other in
            let (left, right) = (vector.rows[one].labels, vector.rows[other].labels)
            for name in names {
                let first = left[name]
                let second = right[name]
                if first != second { return naturallyPrecedes(first, second) == rises }
            }
            return (left < right) == rises && left != right
        }
        return vector.picking(order)
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
