// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

/// Shows the series of one site.
private struct OneSiteReader: SeriesReader {
    let base: MemorySeriesReader
    let site: String

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        var request = request
        request.matchers.append(LabelMatcher("site", equals: self.site))
        return try self.base.select(request)
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        try self.base.series(
            matching: matchers + [LabelMatcher("site", equals: self.site)],
            after: after,
            through: through
        )
    }
}

/// Many sites take the way with tables, one site that with comparisons one by one: both must agree.
struct SiteBySiteTests {
    private static let sites = (0..<12).map { "s\($0)" }
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)

    private static func reader(_ numbers: inout SeededGenerator) -> MemorySeriesReader {
        var reader = MemorySeriesReader()
        for site in self.sites {
            for metric in ["a", "b"] {
                for depth in ["", "10cm", "20cm"] where Int.random(in: 0..<4, using: &numbers) > 0 {
                    for minute in 0..<8 where Int.random(in: 0..<4, using: &numbers) > 0 {
                        reader.append(
                            Labels(metric: metric, ["site": site, "depth": depth]),
                            at: self.now - Int64(minute) * .minute,
                            Double(Int.random(in: 0..<5, using: &numbers))
                        )
                    }
                }
            }
        }
        return reader
    }

    private static func expression(_ depth: Int, _ numbers: inout SeededGenerator) -> String {
        func pick(_ choices: [String]) -> String { choices.randomElement(using: &numbers) ?? "" }
        guard depth > 0 else {
            return pick([
                "a", "b", "a{depth=\"\"}", "b{depth!=\"\"}", "a offset 2m", "sum_over_time(a[4m])",
                "{__name__=~\"a|b\"}", "changes(a[3m] anchored)", "increase(b[2m] anchored)", "rate(a[2m] smoothed)",
                "b smoothed", "delta(a[90s] offset 1m smoothed)",
            ])
        }
        switch Int.random(in: 0..<6, using: &numbers) {
        case 0, 1:
            let operation = pick(["+", "-", ">", "<= bool", "==", "*"])
            let matching = pick([
                "", "on(site) ", "on(site, depth) ", "ignoring(depth) ", "on(site) group_left() ",
                "on(site) group_right(depth) ", "ignoring(depth) group_left(depth) ", "on() ",
                "fill(1) ", "on(site, depth) fill_left(2) ", "on(site) group_left() fill_right(3) ",
                "ignoring(depth) group_right fill_right(4) fill_left(0) ", "on(site) group_left(depth) fill(0) ",
            ])
            return
                "(\(self.expression(depth - 1, &numbers)) \(operation) \(matching)\(self.expression(depth - 1, &numbers)))"
        case 2:
            let operation = pick(["and", "or", "unless"])
            let matching = pick(["", "on(site) ", "ignoring(depth) ", "on(depth) "])
            return
                "(\(self.expression(depth - 1, &numbers)) \(operation) \(matching)\(self.expression(depth - 1, &numbers)))"
        case 3:
            let grouping = pick(["by (site)", "without (depth)", "by (site, depth)", "", "by (depth)"])
            return
                "\(pick(["sum", "avg", "max", "count", "stddev"])) \(grouping) (\(self.expression(depth - 1, &numbers)))"
        case 4: return "max_over_time(\(self.expression(depth - 1, &numbers))[5m:1m])"
        default: return "abs(\(self.expression(depth - 1, &numbers)))"
        }
    }

    private struct Answer: Equatable {
        var elements: Set<VectorSample> = []
        var hasFailed = false
    }

    private static func answer(_ query: Query, _ reader: any SeriesReader) -> Answer {
        guard case .vector(let vector)? = try? Evaluator(reader: reader).instant(query, at: self.now).value else {
            return Answer(hasFailed: true)
        }
        return Answer(elements: Set(vector))
    }

    @Test(arguments: [21, 22, 23, 24] as [UInt64])
    func aConfinedQueryAnswersTheSameSiteBySite(seed: UInt64) throws {
        print("site by site: seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        var compared = 0
        var succeeded = 0
        for _ in 0..<200 {
            let reader = Self.reader(&numbers)
            let query = try Query(parsing: Self.expression(3, &numbers))
            guard query.isConfinedToSite else { continue }
            compared += 1
            let whole = Self.answer(query, reader)
            let parts = Self.sites.map { Self.answer(query, OneSiteReader(base: reader, site: $0)) }
            // Together the sites may fail where each alone does not: the partners of a duplicate stand at another site.
            guard !whole.hasFailed else { continue }
            succeeded += whole.elements.isEmpty ? 0 : 1
            #expect(!parts.contains { $0.hasFailed }, "\(query)")
            #expect(whole.elements == parts.reduce(into: []) { $0.formUnion($1.elements) }, "\(query)")
        }
        #expect(compared > 25 && succeeded > 12)
    }

    /// A range query is the instant queries at its steps.
    @Test(arguments: [31, 32] as [UInt64])
    func aRangeQueryIsItsInstantQueries(seed: UInt64) throws {
        print("range by instants: seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        for _ in 0..<80 {
            let reader = Self.reader(&numbers)
            let query = try Query(parsing: Self.expression(3, &numbers))
            let evaluator = Evaluator(reader: reader)
            let start = Self.now - 10 * .minute
            guard let range = try? evaluator.range(query, from: start, through: Self.now, step: 90_000) else {
                continue
            }
            var found: [Timestamp: Set<VectorSample>] = [:]
            for series in range.series {
                for (time, value) in zip(series.times, series.values) {
                    found[time, default: []].insert(VectorSample(labels: series.labels, value: value))
                }
            }
            for step in 0...6 {
                let time = start + Int64(step) * 90_000
                guard case .vector(let vector) = try evaluator.instant(query, at: time).value else { continue }
                #expect(Set(vector) == found[time] ?? [], "\(query) at step \(step)")
            }
        }
    }
}
