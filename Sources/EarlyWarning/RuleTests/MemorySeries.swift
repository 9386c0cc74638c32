// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import Telemetry

/// Series in memory, for rule tests: samples may come in any order, the last one at a time stays.
package final class MemorySeries: SeriesReader {
    fileprivate struct Series {
        var columns: SeriesColumns
    }

    fileprivate struct State {
        var series: [Series] = []
        var byLabels: [Labels: Int] = [:]
        var byMetric: [String: [Int]] = [:]
        var byMetricAndSite: [String: [String: [Int]]] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// - Returns: Whether it changed anything: false for a duplicate.
    @discardableResult
    package func insert(_ labels: Labels, _ sample: Sample) -> Bool {
        self.state.withLock { state in
            let index: Int
            if let known = state.byLabels[labels] {
                index = known
            } else {
                index = state.series.count
                state.series.append(
                    Series(columns: SeriesColumns(labels: labels, times: [], values: [], marks: []))
                )
                state.byLabels[labels] = index
                state.byMetric[labels.metric, default: []].append(index)
                state.byMetricAndSite[labels.metric, default: [:]][labels.site, default: []].append(index)
            }
            return state.series[index].columns.insert(sample)
        }
    }

    /// Takes a sample away; nothing happens where another one stands at its time.
    package func remove(_ labels: Labels, _ sample: Sample) {
        self.state.withLock { state in
            guard let index = state.byLabels[labels] else { return }
            state.series[index].columns.remove(sample)
        }
    }

    package func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        self.state.withLock { state in
            var found: [SeriesColumns] = []
            state.eachMatch(request.matchers) { columns in
                let after =
                    switch request.extent {
                    case .window(let after, _): after
                    case .lookback(let from, _): from - columns.lookback
                    }
                let selected = columns.selecting(after, request.extent.through, request.qualities)
                if !selected.times.isEmpty { found.append(selected) }
            }
            return found
        }
    }

    package func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        self.state.withLock { state in
            var found: [Labels] = []
            state.eachMatch(matchers) { columns in
                if columns.times.contains(where: { $0 > after && $0 <= through }) { found.append(columns.labels) }
            }
            return found
        }
    }
}

extension MemorySeries.State {
    func eachMatch(_ matchers: [LabelMatcher], _ body: (SeriesColumns) -> Void) {
        let metric = matchers.first { $0.name == Labels.metricName && $0.operation == .equal }?.value
        let site = matchers.first { $0.name == "site" && $0.operation == .equal }?.value
        var candidates: [Int]?
        if let metric, let site { candidates = self.byMetricAndSite[metric]?[site] ?? [] }
        if let metric, site == nil { candidates = self.byMetric[metric] ?? [] }
        if let candidates {
            for index in candidates where matchers.allSatisfy({ $0.matches(self.series[index].columns.labels) }) {
                body(self.series[index].columns)
            }
        } else {
            for series in self.series where matchers.allSatisfy({ $0.matches(series.columns.labels) }) {
                body(series.columns)
            }
        }
    }
}

extension SeriesColumns {
    fileprivate mutating func insert(_ sample: Sample) -> Bool {
        let index = self.count(through: sample.time)
        if index > 0, self.times[index - 1] == sample.time {
            let isSame = self.values[index - 1].bitPattern == sample.value.bitPattern
            guard !isSame || self.marks[index - 1] != sample.mark else { return false }
            self.values[index - 1] = sample.value
            self.marks[index - 1] = sample.mark
            return true
        }
        self.times.insert(sample.time, at: index)
        self.values.insert(sample.value, at: index)
        self.marks.insert(sample.mark, at: index)
        return true
    }

    fileprivate mutating func remove(_ sample: Sample) {
        let index = self.count(through: sample.time) - 1
        guard index >= 0, self.times[index] == sample.time, self.marks[index] == sample.mark,
            self.values[index].bitPattern == sample.value.bitPattern
        else { return }
        self.times.remove(at: index)
        self.values.remove(at: index)
        self.marks.remove(at: index)
    }

    /// How many samples are not later than `moment`.
    private func count(through moment: Timestamp) -> Int {
        var low = 0
        var high = self.times.count
        while low < high {
            let middle = (low + high) / 2
            if self.times[middle] <= moment { low = middle + 1 } else { high = middle }
        }
        return low
    }

    fileprivate func selecting(_ after: Timestamp, _ through: Timestamp, _ qualities: QualitySet) -> SeriesColumns {
        let range = self.count(through: after)..<max(self.count(through: through), self.count(through: after))
        var result = SeriesColumns(labels: self.labels, times: [], values: [], marks: [], lookback: self.lookback)
        for index in range where qualities.admits(self.marks[index]) {
            result.times.append(self.times[index])
            result.values.append(self.values[index])
            result.marks.append(self.marks[index])
        }
        return result
    }
}
