// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

extension CatalogReader {
    package func summaries(_ request: SelectRequest) throws -> [SeriesSummary]? {
        guard case .window = request.extent else { return nil }
        guard let name = request.matchers.exactValue(of: Labels.metricName) else {
            guard let stored = try self.storedSummaries(request) else { return nil }
            return stored + (try self.computed(request)).compactMap(SeriesSummary.init)
        }
        return self.isComputed(name) ? nil : try self.storedSummaries(request)
    }

    private func storedSummaries(_ request: SelectRequest) throws -> [SeriesSummary]? {
        let (plain, virtual) = request.matchers.splitByVirtualName()
        var found: [SeriesSummary] = []
        var seen: Set<Labels> = []
        for matchers in self.baseMatchers(plain: plain, virtual: virtual) {
            var inner = request
            inner.matchers = matchers
            guard let summaries = try self.base.summaries(inner) else { return nil }
            for var summary in summaries {
                if let entry = self.catalog.entries[summary.labels.site] {
                    summary.labels = entry.show(summary.labels).labels
                }
                guard virtual.allSatisfy({ $0.matches(summary.labels) }) else { continue }
                // Without virtual matchers there is one pass, in which no series comes twice.
                if virtual.isEmpty || seen.insert(summary.labels).inserted { found.append(summary) }
            }
        }
        return found
    }
}

extension SeriesSummary {
    /// Of samples at hand; nil where there are none.
    fileprivate init?(_ columns: SeriesColumns) {
        guard let first = columns.values.first, let last = columns.values.last else { return nil }
        let numbers = columns.values.filter { !$0.isNaN }
        self.init(
            labels: columns.labels,
            count: columns.values.count,
            sum: columns.values.reduce(0, +),
            minimum: numbers.min() ?? .nan,
            maximum: numbers.max() ?? .nan,
            first: first,
            last: last
        )
    }
}
