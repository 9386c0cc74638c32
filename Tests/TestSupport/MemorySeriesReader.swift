// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Series held in memory, for tests of what reads series.
package struct MemorySeriesReader: SeriesReader {
    /// Whole series; times strictly rising.
    package private(set) var series: [SeriesColumns]
    private var places: [Labels: Int]

    package init(_ series: [SeriesColumns] = []) {
        self.series = series
        self.places = Dictionary(
            series.enumerated().map { ($0.element.labels, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Adds a sample; one at the same time is replaced.
    package mutating func append(
        _ labels: Labels,
        at time: Timestamp,
        _ value: Double,
        mark: SampleMark = .measured,
        lookback: Milliseconds = ReportSchedule.unregisteredLookback
    ) {
        let place: Int
        if let known = self.places[labels] {
            place = known
        } else {
            place = self.series.count
            self.places[labels] = place
            self.series.append(
                SeriesColumns(labels: labels, times: [], values: [], marks: [], lookback: lookback)
            )
        }
        let index = self.series[place].times.partition(after: time)
        if index > 0, self.series[place].times[index - 1] == time {
            self.series[place].values[index - 1] = value
            self.series[place].marks[index - 1] = mark
        } else {
            self.series[place].times.insert(time, at: index)
            self.series[place].values.insert(value, at: index)
            self.series[place].marks.insert(mark, at: index)
        }
    }

    package func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        var result: [SeriesColumns] = []
        for candidate in self.series where request.matchers.allSatisfy({ $0.matches(candidate.labels) }) {
            let after: Timestamp
            switch request.extent {
            case .window(let start, _): after = start
            case .lookback(let from, _): after = from - candidate.lookback
            }
            let first = candidate.times.partition(after: after)
            let end = candidate.times.partition(after: request.extent.through)
            guard first < end else { continue }
            var shown = candidate
            shown.times = Array(candidate.times[first..<end])
            shown.values = Array(candidate.values[first..<end])
            shown.marks = Array(candidate.marks[first..<end])
            if !shown.marks.allSatisfy(request.qualities.admits) {
                let admitted = shown.marks.indices.filter { request.qualities.admits(shown.marks[$0]) }
                guard !admitted.isEmpty else { continue }
                shown.times = admitted.map { shown.times[$0] }
                shown.values = admitted.map { shown.values[$0] }
                shown.marks = admitted.map { shown.marks[$0] }
            }
            result.append(shown)
        }
        return result
    }

    package func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        let extent = SelectExtent.window(after: after, through: through)
        return try self.select(SelectRequest(matchers: matchers, extent: extent, qualities: .all)).map(\.labels)
    }
}

extension [Timestamp] {
    /// The index of the first time later than `moment`.
    fileprivate func partition(after moment: Timestamp) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
