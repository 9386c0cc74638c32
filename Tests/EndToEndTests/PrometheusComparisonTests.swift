// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Answers are those of Prometheus itself, to queries that nobody chose.
struct PrometheusComparisonTests {
    /// How many queries; `POYANG_COMPARISONS` asks more.
    private static let count = ProcessInfo.processInfo.environment["POYANG_COMPARISONS"].flatMap(Int.init) ?? 600
    /// How many answers may be awaited at once.
    private static let width = 4
    /// How many differences are told in full.
    private static let shown = 20

    /// Both answers to a query.
    private struct Comparison {
        let index: Int
        let query: ComparedQuery
        let isRefused: Bool
        let isEmpty: Bool
        /// How ours differs.
        let difference: String?
    }

    private struct NoAnswer: Error {
        let server: String
        let parameters: [(String, String)]
        let error: any Error
    }

    @Test(
        .enabled(if: PrometheusServer.isExpected, "without prometheus and promtool; `ops/setup prometheus`"),
        .timeLimit(.minutes(2 + count / 100))
    )
    func answersAreThoseOfPrometheus() async throws {
        var random = SeededGenerator.announced()
        var data = ComparisonData(seed: random.next())
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("data.om")
            try data.openMetrics().write(to: file)
            let service = try await RunningService.start(importing: file, "openmetrics", in: folder)
            let prometheus = try await PrometheusServer.start(with: file, in: folder)
            var generator = QueryGenerator(random: random)
            let queries = (0..<Self.count).map { _ in generator.query() }
            let comparisons = try await self.compare(queries, service.url, prometheus.url)
            let differing = comparisons.filter { $0.difference != nil }.sorted { $0.index < $1.index }
            for comparison in differing.prefix(Self.shown) {
                let part = try await self.smallestPart(of: comparison, service.url, prometheus.url)
                Issue.record("\(part.query): \(part.difference ?? "?")\n  (in \(comparison.query.query.text))")
            }
            let (refused, empty) = (comparisons.count(where: \.isRefused), comparisons.count(where: \.isEmpty))
            print("\(comparisons.count) answers, \(empty) empty, \(refused) refused, \(differing.count) differ")
            #expect(differing.count == 0)
            #expect(comparisons.count == Self.count && (refused + empty) * 2 < Self.count, "they say something")
            try await prometheus.stop()
            try await service.stop()
        }
    }

    /// Asks both, a few queries at a time.
    private func compare(
        _ queries: [ComparedQuery],
        _ own: String,
        _ other: String
    ) async throws -> [Comparison] {
        try await withThrowingTaskGroup(of: Comparison.self) { group in
            var found: [Comparison] = []
            for (index, query) in queries.enumerated() {
                if index >= Self.width, let comparison = try await group.next() { found.append(comparison) }
                group.addTask { try await self.compare(index, query, own, other) }
            }
            for try await comparison in group { found.append(comparison) }
            return found
        }
    }

    private func compare(
        _ index: Int,
        _ query: ComparedQuery,
        _ own: String,
        _ other: String
    ) async throws -> Comparison {
        async let answer = self.ask(query, own)
        let expected = try await self.ask(query, other)
        return Comparison(
            index: index,
            query: query,
            isRefused: expected.errorType != nil,
            isEmpty: expected.errorType == nil && expected.series.isEmpty,
            difference: try await answer.difference(from: expected, query.query.scrutiny)
        )
    }

    private func ask(_ query: ComparedQuery, _ server: String) async throws -> QueryAnswer {
        do {
            let answer = try await HTTPAnswer.of(server, query.path, query.parameters, method: "POST")
            return try QueryAnswer(Data(answer.text.utf8))
        } catch {
            throw NoAnswer(server: server, parameters: query.parameters, error: error)
        }
    }

    /// The shortest part of the query of which the answers differ, too.
    private func smallestPart(of whole: Comparison, _ own: String, _ other: String) async throws -> Comparison {
        for part in whole.query.query.allParts {
            let query = ComparedQuery(query: part, moment: whole.query.moment)
            if case .range = query.moment, part.kind == .matrix { continue }
            let comparison = try await self.compare(whole.index, query, own, other)
            if comparison.difference != nil { return comparison }
        }
        return whole
    }
}
