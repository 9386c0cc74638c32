// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The functions whose windows hold many samples; none is empty.
extension WindowFunctions {
    /// Of decimals the exact sum, rounded once, so that 49.9 and 50.0 do not flip by drift; of others compensated.
    static func sum(_ values: UnsafeBufferPointer<Double>) -> Double {
        if let exact = self.decimalSum(values) { return exact }
        return self.compensatedSum(values).value
    }

    /// As ``sum(_:)``, and survives sums beyond the range of `Double`.
    static func average(_ values: UnsafeBufferPointer<Double>) -> Double {
        let count = Double(values.count)
        if let exact = self.decimalSum(values) { return exact / count }
        let sum = self.compensatedSum(values)
        if !sum.sum.isInfinite { return sum.sum / count + sum.compensation / count }
        var average = RunningAverage(values[0])
        for value in values.dropFirst() { average.add(value) }
        return average.value
    }

    private static func compensatedSum(_ values: UnsafeBufferPointer<Double>) -> CompensatedSum {
        var sum = CompensatedSum(values[0])
        for value in values.dropFirst() { sum.add(value) }
        return sum
    }

    /// Nil where a value is no decimal.
    private static func decimalSum(_ values: UnsafeBufferPointer<Double>) -> Double? {
        var sum = DecimalSum()
        return sum.add(values) ? sum.value : nil
    }
}
