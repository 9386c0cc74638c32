// poyang
// SPDX-License-Identifier: Apache-2.0

extension Array where Element: Comparable {
    /// The first index of a sorted array whose element is not less than `element`.
    @inline(__always)
    func lowerBound(_ element: Element) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The first index of a sorted array whose element is greater than `element`.
    @inline(__always)
    func upperBound(_ element: Element) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= element { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func containsSorted(_ element: Element) -> Bool {
        let index = self.lowerBound(element)
        return index < self.count && self[index] == element
    }
}
