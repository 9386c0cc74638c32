// poyang
// SPDX-License-Identifier: Apache-2.0

/// A sum that keeps the bits which plain addition loses (Neumaier's variant of Kahan's algorithm).
struct CompensatedSum {
    private(set) var sum: Double
    private(set) var compensation: Double

    init(_ start: Double = 0, compensation: Double = 0) {
        self.sum = start
        self.compensation = compensation
    }

    @inline(__always)
    mutating func add(_ value: Double) {
        let total = self.sum + value
        if total.isInfinite {
            self.compensation = 0
        } else if abs(self.sum) >= abs(value) {
            self.compensation += (self.sum - total) + value
        } else {
            self.compensation += (value - total) + self.sum
        }
        self.sum = total
    }

    var value: Double { self.sum + self.compensation }
}

/// An average that survives sums beyond the range of `Double`.
struct RunningAverage {
    private var total: CompensatedSum
    private var mean = CompensatedSum()
    private(set) var count = 1.0
    private var isIncremental = false

    init(_ first: Double) {
        self.total = CompensatedSum(first)
    }

    mutating func add(_ value: Double) {
        self.count += 1
        if !self.isIncremental {
            var next = self.total
            next.add(value)
            if self.count < 2 || !next.sum.isInfinite {
                self.total = next
                return
            }
            self.isIncremental = true
            self.mean = CompensatedSum(
                self.total.sum / (self.count - 1),
                compensation: self.total.compensation / (self.count - 1)
            )
        }
        let share = (self.count - 1) / self.count
        var next = CompensatedSum(share * self.mean.sum, compensation: share * self.mean.compensation)
        next.add(value / self.count)
        self.mean = next
    }

    var value: Double {
        if self.isIncremental { return self.mean.value }
        return self.total.sum / self.count + self.total.compensation / self.count
    }
}
