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

/// The greater of two; NaN where one is.
func greater(_ left: Double, _ right: Double) -> Double { left.isNaN || right.isNaN ? .nan : max(left, right) }

/// The lesser of two; NaN where one is.
func lesser(_ left: Double, _ right: Double) -> Double { left.isNaN || right.isNaN ? .nan : min(left, right) }

extension Timestamp {
    /// Seconds since the Unix epoch.
    var seconds: Double { self.milliseconds.seconds }
}

extension Milliseconds {
    var seconds: Double { Double(self) / 1000 }
}
