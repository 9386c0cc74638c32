// poyang
// SPDX-License-Identifier: Apache-2.0

/// The values of a window in order, for quantiles of windows that overlap.
///
/// A value comes and goes by a binary search and a move of what is behind it, which for the hundreds of samples of a day is
/// quicker than any tree.
struct SortedWindow {
    private var values: [Double] = []
    /// NaN comes before all numbers.
    private var nans = 0

    mutating func insert(_ value: Double) {
        if value.isNaN { self.nans += 1 } else { self.values.insert(value, at: self.place(of: value)) }
    }

    /// Takes out a value that is there.
    mutating func remove(_ value: Double) {
        if value.isNaN { self.nans -= 1 } else { self.values.remove(at: self.place(of: value)) }
    }

    /// The first place whose value is not less.
    private func place(of value: Double) -> Int {
        var (low, high) = (0, self.values.count)
        while low < high {
            let middle = (low + high) / 2
            if self.values[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// As ``quantile(_:_:)`` of all values.
    func quantile(_ share: Double) -> Double {
        PromQL.quantile(share, count: self.nans + self.values.count) { index in
            index < self.nans ? .nan : self.values[index - self.nans]
        }
    }
}
