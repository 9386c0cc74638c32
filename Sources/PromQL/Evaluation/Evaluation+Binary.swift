// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

extension Evaluation {
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

    func combine(
        _ vector: VectorGrid,
        with scalar: ScalarSteps,
        _ binary: BinaryPlan,
        scalarIsLeft: Bool
    ) -> VectorGrid {
        var result = vector
        let operation = binary.operation
        let frame = self.frame
        guard operation.isComparison else {
            result.map { value, step in
                scalarIsLeft ? arithmetic(operation, scalar[step], value) : arithmetic(operation, value, scalar[step])
            }
            return result
        }
        func holds(_ value: Double, _ step: Int) -> Bool {
            scalarIsLeft
                ? frame.compare(operation, scalar[step], value) : frame.compare(operation, value, scalar[step])
        }
        if binary.returnsBool {
            result.map { value, step in holds(value, step) ? 1 : 0 }
        } else {
            result.update { value, step in holds(value, step) ? value : .absent }
            result.removeEmptyRows()
        }
        return result
    }

    func combine(_ binary: BinaryPlan, _ grid: StepGrid) throws -> VectorGrid {
        let left = try self.vector(binary.left, grid)
        let fills = !binary.matching.fill.isEmpty
        if left.isEmpty, binary.operation != .or, !fills { return left }
        let right = try self.vector(binary.right, grid)
        switch binary.operation {
        case .and, .or, .unless: return self.setOperation(binary, left, right)
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2, .equal, .notEqual, .greater, .less,
            .greaterOrEqual, .lessOrEqual:
            if right.isEmpty, !fills { return right }
            var match = VectorMatch(binary, left, right, self.frame)
            let result = try match.result()
            self.note(match.faults)
            return result
        }
    }

    private func setOperation(_ binary: BinaryPlan, _ left: VectorGrid, _ right: VectorGrid) -> VectorGrid {
        if left.isEmpty { return right }
        if right.isEmpty { return binary.operation == .and ? right : left }
        let isOr = binary.operation == .or
        let (kept, other) = isOr ? (right, left) : (left, right)
        let table = MatchTable(other.rows.map(\.labels), binary.matching)
        let keepsMatched = binary.operation == .and
        var result = isOr ? left : VectorGrid(steps: left.steps)
        for (row, entry) in kept.rows.enumerated() {
            let partners = table.partners(of: entry.labels)
            if partners.isEmpty {
                if !keepsMatched { result.append(entry, kept.values(of: row)) }
                continue
            }
            result.append(dropsName: entry.dropsName) { places in
                for step in places.indices {
                    let isMatched = other.hasElement(in: partners, at: step)
                    if isMatched == keepsMatched { places[step] = kept.value(row, step) }
                }
                return entry.labels
            }
        }
        return result
    }
}
