// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// The value of an arithmetic operation on two numbers.
func arithmetic(_ operation: BinaryOperator, _ left: Double, _ right: Double) -> Double {
    switch operation {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    case .modulo: fmod(left, right)
    case .power: pow(left, right)
    case .atan2: atan2(left, right)
    case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual, .and, .or, .unless: .nan
    }
}

extension Evaluation {
    func compare(_ operation: BinaryOperator, _ left: Double, _ right: Double) -> Bool {
        Self.compare(operation, left, right, rounded: self.options.roundsComparisons)
    }

    static func compare(_ operation: BinaryOperator, _ left: Double, _ right: Double, rounded: Bool) -> Bool {
        var left = left
        var right = right
        if rounded {
            left = Self.rounded(left)
            right = Self.rounded(right)
        }
        return switch operation {
        case .equal: left == right
        case .notEqual: left != right
        case .greater: left > right
        case .less: left < right
        case .greaterOrEqual: left >= right
        case .lessOrEqual: left <= right
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2, .and, .or, .unless: false
        }
    }

    /// To 1e-9, where a `Double` is finer than that.
    private static func rounded(_ value: Double) -> Double {
        abs(value) < 4e6 ? (value * 1e9).rounded() / 1e9 : value
    }

    func combine(_ vector: [Element], with scalar: Double, _ binary: BinaryPlan, scalarIsLeft: Bool) -> [Element] {
        var result = vector
        var kept = 0
        for index in result.indices {
            let left = scalarIsLeft ? scalar : result[index].value
            let right = scalarIsLeft ? result[index].value : scalar
            if binary.operation.isComparison {
                let holds = self.compare(binary.operation, left, right)
                if binary.returnsBool {
                    result[index].value = holds ? 1 : 0
                    result[index].dropsName = true
                } else if !holds {
                    continue
                }
            } else {
                result[index].value = arithmetic(binary.operation, left, right)
                result[index].dropsName = true
            }
            if kept != index { result.swapAt(kept, index) }
            kept += 1
        }
        result.removeLast(result.count - kept)
        return result
    }

    func combine(_ binary: BinaryPlan, at time: Timestamp) throws -> [Element] {
        let left = try self.vector(binary.left, at: time)
        if left.isEmpty, binary.operation != .or { return [] }
        let right = try self.vector(binary.right, at: time)
        switch binary.operation {
        case .or where left.isEmpty: return right
        case .or, .unless: if right.isEmpty { return left }
        default: if right.isEmpty { return [] }
        }
        switch binary.operation {
        case .and, .or, .unless: return self.setOperation(binary, left, right)
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2, .equal, .notEqual, .greater, .less,
            .greaterOrEqual, .lessOrEqual:
            return try self.matched(binary, left, right)
        }
    }

    private func setOperation(_ binary: BinaryPlan, _ left: [Element], _ right: [Element]) -> [Element] {
        let isOr = binary.operation == .or
        let table = MatchTable(isOr ? left : right, binary.matching)
        switch binary.operation {
        case .and: return left.filter { table.contains($0.labels) }
        case .unless: return left.filter { !table.contains($0.labels) }
        default: return left + right.filter { !table.contains($0.labels) }
        }
    }

    private func matched(_ binary: BinaryPlan, _ left: [Element], _ right: [Element]) throws -> [Element] {
        let matching = binary.matching
        let isSwapped = matching.cardinality == .oneToMany
        let many = isSwapped ? right : left
        let one = isSwapped ? left : right
        var table = MatchTable(one, matching)
        if let (first, second) = table.duplicate {
            let group = table.signature(of: one[first].labels)
            let pair = [one[first].labels, one[second].labels].map(Self.text).sorted()
            throw PromQLError(
                .matching,
                "found duplicate series for the match group \(Self.text(group)) on the \(isSwapped ? "left" : "right") "
                    + "hand-side of the operation: [\(pair[0]), \(pair[1])];"
                    + "many-to-many matching not allowed: matching labels must be unique on one side"
            )
        }
        var result: [Element] = []
        result.reserveCapacity(many.count)
        /// Labels of results with the partner that they have, for group_left and group_right.
        var given: [(partner: Int, labels: Labels)] = []
        var givenSet: Set<GroupedResult> = []
        for element in many {
            guard let partner = table.partner(of: element.labels) else { continue }
            let other = one[partner]
            let leftValue = isSwapped ? other.value : element.value
            let rightValue = isSwapped ? element.value : other.value
            var value = leftValue
            var keeps = true
            if binary.operation.isComparison {
                keeps = self.compare(binary.operation, leftValue, rightValue)
                if binary.returnsBool { value = keeps ? 1 : 0 }
            } else {
                value = arithmetic(binary.operation, leftValue, rightValue)
            }
            let labels = Self.resultLabels(binary, many: element.labels, one: other.labels)
            if matching.cardinality == .oneToOne {
                guard table.use(partner) else {
                    throw PromQLError(
                        .matching,
                        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
                    )
                }
            } else if many.count > 1 {
                let isNew: Bool
                if many.count <= MatchTable.tiny {
                    isNew = !given.contains { $0.partner == partner && $0.labels == labels }
                    given.append((partner, labels))
                } else {
                    isNew = givenSet.insert(GroupedResult(partner: partner, labels: labels)).inserted
                }
                guard isNew else {
                    throw PromQLError(
                        .matching,
                        "multiple matches for labels: grouping labels must ensure unique matches"
                    )
                }
            }
            guard keeps || binary.returnsBool else { continue }
            let dropsName = binary.returnsBool || element.dropsName
            result.append(Element(labels: labels, value: value, dropsName: dropsName))
        }
        return result
    }

    private static func resultLabels(_ binary: BinaryPlan, many: Labels, one: Labels) -> Labels {
        let matching = binary.matching
        var labels = many
        if !binary.operation.isComparison { labels = labels.removing(Labels.metricName) }
        if matching.cardinality == .oneToOne {
            if matching.isOn {
                labels = labels.keeping(matching.labels)
            } else if !matching.labels.isEmpty {
                labels = labels.removing(matching.labels)
            }
        }
        for name in matching.include { labels[name] = one[name] }
        return labels
    }

    /// All labels in braces, the name included, as Prometheus's errors write them.
    private static func text(_ labels: Labels) -> String {
        "{" + labels.map { "\($0.name)=\(NumberText.quoted($0.value))" }.joined(separator: ", ") + "}"
    }
}

private struct GroupedResult: Hashable {
    var partner: Int
    var labels: Labels
}

/// Finds the elements of one side by the labels that are matched on.
struct MatchTable {
    /// Up to this many elements are compared one by one, which is quicker than hashing.
    static let tiny = 8

    private let matching: VectorMatching
    private let elements: [Element]
    private var places: [Labels: Int] = [:]
    private var isUsed: [Bool] = []
    private var usedBits: UInt64 = 0
    /// Two elements that have the same labels to match on.
    private(set) var duplicate: (Int, Int)?

    init(_ elements: [Element], _ matching: VectorMatching) {
        self.elements = elements
        self.matching = matching
        if elements.count <= Self.tiny {
            for index in elements.indices.dropFirst() {
                if let earlier = elements[..<index]
                    .firstIndex(where: {
                        self.agree($0.labels, elements[index].labels)
                    })
                {
                    self.duplicate = (earlier, index)
                    return
                }
            }
        } else {
            self.isUsed = Array(repeating: false, count: elements.count)
            self.places.reserveCapacity(elements.count)
            for (index, element) in elements.enumerated() {
                let key = self.signature(of: element.labels)
                if let earlier = self.places[key] {
                    if self.duplicate == nil { self.duplicate = (earlier, index) }
                } else {
                    self.places[key] = index
                }
            }
        }
    }

    func partner(of labels: Labels) -> Int? {
        if self.elements.count > Self.tiny { return self.places[self.signature(of: labels)] }
        return self.elements.firstIndex { self.agree($0.labels, labels) }
    }

    func contains(_ labels: Labels) -> Bool { self.partner(of: labels) != nil }

    /// Marks an element as taken; false where it was already.
    mutating func use(_ index: Int) -> Bool {
        if self.elements.count <= Self.tiny {
            guard self.usedBits & (1 << UInt64(index)) == 0 else { return false }
            self.usedBits |= 1 << UInt64(index)
            return true
        }
        guard !self.isUsed[index] else { return false }
        self.isUsed[index] = true
        return true
    }

    func signature(of labels: Labels) -> Labels {
        if self.matching.isOn { return labels.keeping(self.matching.labels) }
        let unnamed = labels.removing(Labels.metricName)
        return self.matching.labels.isEmpty ? unnamed : unnamed.removing(self.matching.labels)
    }

    private func agree(_ left: Labels, _ right: Labels) -> Bool {
        if self.matching.isOn {
            for name in self.matching.labels where left.value(of: name) != right.value(of: name) { return false }
            return true
        }
        var leftIndex = left.startIndex
        var rightIndex = right.startIndex
        while true {
            while leftIndex < left.endIndex, self.isIgnored(left[leftIndex].name) { leftIndex += 1 }
            while rightIndex < right.endIndex, self.isIgnored(right[rightIndex].name) { rightIndex += 1 }
            let leftEnds = leftIndex == left.endIndex
            guard !leftEnds, rightIndex < right.endIndex else { return leftEnds && rightIndex == right.endIndex }
            guard left[leftIndex] == right[rightIndex] else { return false }
            leftIndex += 1
            rightIndex += 1
        }
    }

    private func isIgnored(_ name: String) -> Bool {
        name == Labels.metricName || self.matching.labels.contains(name)
    }
}
