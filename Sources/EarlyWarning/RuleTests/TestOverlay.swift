// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Shows the thresholds and channels that a rule test names, as the catalogue would.
struct TestOverlay: SeriesReader {
    let base: any SeriesReader
    let thresholds: [(site: String, threshold: Threshold)]
    let lookbacks: [Labels: Milliseconds]

    init(base: any SeriesReader, thresholds: [(site: String, threshold: Threshold)], channels: [WatchedChannel]) {
        self.base = base
        self.thresholds = thresholds
        self.lookbacks = Dictionary(channels.map { ($0.series, $0.lookback) }, uniquingKeysWith: max)
    }

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        var found = try self.stored(request)
        guard !self.thresholds.isEmpty else { return found }
        let from =
            switch request.extent {
            case .window(let after, _): after
            case .lookback(let from, _): from
            }
        for (site, threshold) in self.thresholds {
            let labels = self.labels(site, threshold)
            let isInForce = threshold.validFrom <= request.extent.through && from < threshold.validTo ?? .distantFuture
            guard isInForce, request.matchers.allSatisfy({ $0.matches(labels) })
            else { continue }
            found.append(
                SeriesColumns(
                    labels: labels,
                    times: [max(from, threshold.validFrom)],
                    values: [threshold.value],
                    marks: [.measured],
                    lookback: .max / 4,
                    nextChange: threshold.validTo ?? .distantFuture
                )
            )
        }
        return found
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        let computed = self.thresholds.map { self.labels($0.site, $0.threshold) }
            .filter { labels in
                matchers.allSatisfy { $0.matches(labels) }
            }
        return try self.base.series(matching: matchers, after: after, through: through) + computed
    }

    private func labels(_ site: String, _ threshold: Threshold) -> Labels {
        let name = CompiledRule.thresholdPrefix + (threshold.unit.suffix.isEmpty ? "" : "_" + threshold.unit.suffix)
        return Labels(
            metric: name,
            [
                "site": site, "hazard": threshold.hazard.rawValue, "level": threshold.level.rawValue,
                "window": threshold.window.map(PrometheusDuration.text) ?? "",
            ]
        )
    }

    /// With the look-back of the registered channels.
    private func stored(_ request: SelectRequest) throws -> [SeriesColumns] {
        guard case .lookback(let from, let through) = request.extent, let longest = self.lookbacks.values.max() else {
            return try self.base.select(request)
                .map { columns in
                    var columns = columns
                    columns.lookback = self.lookbacks[columns.labels] ?? columns.lookback
                    return columns
                }
        }
        var wide = request
        wide.extent = .window(
            after: from - max(longest, ReportSchedule.unregisteredLookback),
            through: through
        )
        return try self.base.select(wide)
            .compactMap { columns in
                var columns = columns
                columns.lookback = self.lookbacks[columns.labels] ?? columns.lookback
                let kept = columns.times.firstIndex { $0 > from - columns.lookback } ?? columns.times.count
                columns.times.removeFirst(kept)
                columns.values.removeFirst(kept)
                columns.marks.removeFirst(kept)
                return columns.times.isEmpty ? nil : columns
            }
    }
}
