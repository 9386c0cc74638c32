// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// The values of a series in the order of their times, for tests across series.
package struct QualityColumn: Sendable {
    package var times: [Timestamp]
    package var values: [Double]

    package init(times: [Timestamp], values: [Double]) {
        self.times = times
        self.values = values
    }

    /// The place of the first value that is later than `time`.
    func firstIndex(after time: Timestamp) -> Int { Self.firstIndex(after: time, in: self.times) }

    /// The place of the first of rising `times` that is later than `time`.
    static func firstIndex(after time: Timestamp, in times: [Timestamp]) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Compares a series with what its neighbours showed at the time.
package enum NeighbourTest {
    /// Which values of a series are further from the median of its neighbours' than the tolerance.
    ///
    /// A neighbour counts with its newest value up to the moment, if that is not older than the parameters' age; where none
    /// counts, nothing is said.
    ///
    /// - Parameters:
    ///   - series: What is tested.
    ///   - others: One column for each of the parameters' neighbours, in their order.
    ///   - parameters: Tolerance, age and offsets.
    /// - Returns: One answer for each value.
    package static func fails(
        _ series: QualityColumn,
        others: [QualityColumn],
        parameters: QualityParameters.Neighbours
    ) -> [Bool] {
        series.times.indices.map { index in
            let time = series.times[index]
            var shown: [Double] = []
            for (other, neighbour) in zip(others, parameters.others) {
                let place = other.firstIndex(after: time) - 1
                guard place >= 0, time - other.times[place] <= parameters.age else { continue }
                shown.append(other.values[place] + neighbour.offset)
            }
            guard !shown.isEmpty else { return false }
            shown.sort()
            let middle = shown.count / 2
            let median = shown.count % 2 == 1 ? shown[middle] : (shown[middle - 1] + shown[middle]) / 2
            return abs(series.values[index] - median) > parameters.tolerance + QualityState.slack
        }
    }
}

/// Finds stretches in which a series is another one's copy.
package enum IdenticalTest {
    /// Which values of a series belong to a stretch in which it has those of another, moment for moment.
    ///
    /// A stretch is made of moments at which both have a value, always the same. It counts from so many changes on as
    /// the parameters say; a moment at which the value stayed what it was, or is zero, is no change: it does not rain
    /// anywhere on most days. Where the other has a value of its own, or either one is missing, the stretch ends.
    ///
    /// - Returns: One answer for each value.
    package static func fails(_ series: QualityColumn, other: QualityColumn, changes: Int) -> [Bool] {
        var result = [Bool](repeating: false, count: series.times.count)
        var (start, found) = (0, 0)
        var place = 0
        func close(_ end: Int) {
            if found >= changes { for index in start..<end { result[index] = true } }
            (start, found) = (end, 0)
        }
        for index in series.times.indices {
            let time = series.times[index]
            var skipped = false
            while place < other.times.count, other.times[place] < time {
                skipped = skipped || index > 0 && other.times[place] > series.times[index - 1]
                place += 1
            }
            if skipped { close(index) }
            guard place < other.times.count, other.times[place] == time, other.values[place] == series.values[index]
            else {
                close(index)
                start = index + 1
                continue
            }
            let value = series.values[index]
            if value != 0, index == start || value != series.values[index - 1] { found += 1 }
        }
        close(series.times.count)
        return result
    }
}
